import { randomBytes } from "node:crypto"
import { posix } from "node:path"
import { Readable } from "node:stream"
import { failure } from "../core/errors.ts"
import { type Command, change, sh } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { OpenChannel } from "./frame-channel.ts"
import { type FramedEnd, type FramedRun, runFramed } from "./frame-run.ts"
import { CommandError, type Host, HostError, type Input, type RunningCommand, type RunOptions } from "./host.ts"
import { limit } from "./limit.ts"
import { observeInput } from "./observe-bytes.ts"

/** OpenSSH allows ten sessions on a connection and still counts those that are closing. */
const channelLimit = 8
/** Bytes that `run` gathers; more is a job for `stream`. */
const outputLimit = 64 * 1024 * 1024
/** Milliseconds for the transfer of one file. */
const transferTimeout = 6 * 3_600_000

export interface FramedHostParts {
  readonly name: string
  readonly open: OpenChannel
  /** Aborts what runs, and refuses what comes after. */
  readonly signal: AbortSignal
  readonly dispose: () => Promise<void>
}

/** A host over anything that can start the bootstrap. */
export function framedHost({ name, open, signal, dispose }: FramedHostParts): Host {
  const places = limit(channelLimit)
  const openInPlace: OpenChannel = async (signal) => {
    const leave = await places.enter(signal)
    try {
      const channel = await open(signal)
      void channel.closed.then(leave)
      return channel
    } catch (error) {
      leave()
      throw error
    }
  }
  const start = (command: Command, options?: RunOptions) =>
    runFramed(openInPlace, name, command, {
      ...options,
      signal: options?.signal ? AbortSignal.any([signal, options.signal]) : signal,
    })
  const host: Host = {
    name,
    async run(command, options) {
      const running = start(command, options)
      const [stdout, end] = await Promise.all([gather(running), running.end])
      const result = { ...end, stdout }
      if (!allowed(end.code, options)) throw new CommandError(result)
      return result
    },
    stream: (command, options) => streamed(name, start(command, options), options),
    upload: (content, path, options) => upload(host, content, path, options),
    download: (path, options) => host.stream(sh`cat -- ${path}`, { ...options, timeout: transferTimeout }).stdout,
    [Symbol.asyncDispose]: dispose,
  }
  return host
}

async function gather(running: FramedRun): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of running.output) {
    chunks.push(chunk)
    size += chunk.length
    if (size > outputLimit)
      running.give(failure("output-too-large", `a command printed more than ${outputLimit} bytes`))
  }
  return Buffer.concat(chunks).toString()
}

/** The reader of `stdout` gets all bytes first, then the error, so that a pipeline never takes a part for the whole. */
function streamed(name: string, running: FramedRun, options: RunOptions = {}): RunningCommand {
  const done = running.end.then((end: FramedEnd) => {
    if (!allowed(end.code, options)) throw new CommandError({ ...end, stdout: "" })
    return end
  })
  done.catch(() => undefined) // `stdout` fails with the same error.
  const bytes = running.output[Symbol.asyncIterator]()
  const stdout = new Readable({
    highWaterMark: 0, // Nothing is read ahead, so that an error never drops bytes that came before it.
    read() {
      bytes
        .next()
        .then(async (next) => {
          if (next.done) await done
          this.push(next.done ? null : next.value)
        })
        .catch((error) => this.destroy(error))
    },
    destroy(error, next) {
      running.give(new HostError("aborted", `the output of a command on ${name} was given up`))
      next(error)
    },
  })
  return { stdout, done }
}

function allowed(code: number, { allow = [0] }: RunOptions = {}): boolean {
  return allow === "any" || allow.includes(code)
}

/**
 * Two steps, because a lost connection ends the input as if it were whole: the file gets its name only after the host
 * has counted as many bytes as were sent.
 */
async function upload(
  host: Host,
  content: Input,
  path: string,
  { mode = 0o600, signal }: { readonly mode?: number; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const part = posix.join(posix.dirname(path), `.${posix.basename(path)}.${randomBytes(6).toString("hex")}.part`)
  const options = { timeout: transferTimeout, ...(signal && { signal }) }
  const counted = countBytes(content)
  try {
    const write = change`cat >${part} && chmod ${mode.toString(8)} -- ${part} && sync ${part} && wc -c <${part}`
    const { stdout } = await host.run(write, { ...options, input: counted.input })
    if (Number(stdout) !== counted.size()) {
      throw failure("upload-incomplete", `${host.name} has ${stdout.trim()} of ${counted.size()} bytes of ${path}`)
    }
    await host.run(change`mv -f -- ${part} ${path} && sync ${posix.dirname(path)}`, options)
  } catch (error) {
    // The transfer's error is the one to tell; a part that stays behind is hidden and never taken for the file.
    await host.run(change`rm -f -- ${part}`, { timeout: 10_000 }).catch(() => undefined)
    throw error
  }
}

function countBytes(content: Input): { input: Input; size: () => number } {
  if (content instanceof Secret) return { input: content, size: () => Buffer.byteLength(content.reveal()) }
  if (!(content instanceof Readable)) return { input: content, size: () => Buffer.byteLength(content) }
  let size = 0
  const count = (chunk: Buffer) => {
    size += chunk.length
  }
  return { input: observeInput(content, count), size: () => size }
}
