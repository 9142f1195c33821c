import { failure } from "../core/errors.ts"
import { type Command, change } from "../shell/command.ts"
import type { Host, RunOptions, RunResult } from "./host.ts"

/** Sees a change instead of the host. What it returns is taken for the standard output; what it throws fails the change. */
export type Record = (change: Command, options: RunOptions | undefined) => string | undefined

/**
 * A host that is only looked at: reads go to `inner`, changes go to `record` and are taken to have succeeded. An
 * upload is recorded as the change it is, without its content.
 */
export function recordingHost(inner: Host, record: Record): Host {
  const assume = (command: Command, options?: RunOptions): RunResult => ({
    command,
    code: 0,
    stdout: record(command, options) ?? "",
    stderr: "",
    duration: 0,
  })
  return {
    name: inner.name,
    async run(command, options) {
      return command.effect === "read" ? inner.run(command, options) : assume(command, options)
    },
    stream(command, options) {
      if (command.effect === "read") return inner.stream(command, options)
      throw failure("stream-of-change", `a change cannot be recorded while it streams: \`${command.text}\``)
    },
    async upload(content, path, options) {
      assume(change`cat >${path}`, { input: content, ...(options?.signal && { signal: options.signal }) })
    },
    download: (path, options) => inner.download(path, options),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

/** The guard of a dry run: a change that gets as far as the host is a fault of ours and fails. */
export function readOnlyHost(inner: Host): Host {
  return recordingHost(inner, (command) => {
    throw failure("change-in-dry-run", `a dry run would have changed ${inner.name}: \`${command.text}\``)
  })
}
