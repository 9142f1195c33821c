import { spawn } from "node:child_process"
import { setTimeout } from "node:timers/promises"
import { bootstrap } from "./frame.ts"
import type { ChannelEnd, FrameChannel } from "./frame-channel.ts"
import { framedHost } from "./frame-host.ts"
import { type Host, HostError } from "./host.ts"

export interface LocalOptions {
  /** Sees one line for each thing worth knowing. */
  readonly log?: (line: string) => void
  /** Where commands run; the process's own directory unless told. */
  readonly directory?: string
  /** The shell that plays sshd's login shell, with its arguments up to `-c`; `["sh"]` unless told. */
  readonly shell?: readonly [string, ...string[]]
}

/** Milliseconds. */
const settling = 300

/** This machine, in the same frame as a remote one. */
export function localHost({ log, directory, shell = ["sh"] }: LocalOptions = {}): Host {
  const ending = new AbortController()
  const running = new Set<FrameChannel>()
  const allClosed = () => Promise.all([...running].map((channel) => channel.closed))
  return framedHost({
    name: "localhost",
    signal: ending.signal,
    async open() {
      const channel = await startShell(shell, directory)
      running.add(channel)
      void channel.closed.then(() => running.delete(channel))
      return channel
    },
    async dispose() {
      // A command that has told its end is gone a moment later, and not worth a word.
      await Promise.race([allClosed(), setTimeout(settling, undefined, { ref: false })])
      if (running.size > 0) log?.(`ending what still runs here, ${running.size} in number`)
      ending.abort()
      await allClosed()
    },
  })
}

async function startShell(
  [program, ...words]: readonly [string, ...string[]],
  directory?: string,
): Promise<FrameChannel> {
  // Detached: a process group of its own, as sshd would make one, so that it can be ended whole.
  const child = spawn(program, [...words, "-c", bootstrap], { detached: true, ...(directory && { cwd: directory }) })
  const closed = new Promise<ChannelEnd>((resolve) => {
    child.once("close", (code, signal) =>
      resolve({ ...(code !== null && { code }), ...(signal !== null && { signal }) }),
    )
  })
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve)
    child.once("error", (cause) => {
      reject(
        new HostError(
          "unreachable",
          `cannot start ${program}${directory ? ` in ${directory}` : ""}: ${cause.message}`,
          { cause },
        ),
      )
    })
  })
  const close = () => {
    child.stdin.destroy()
    child.stdout.destroy()
    child.stderr.destroy()
  }
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    closed,
    close,
    kill() {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
      }
      close()
    },
  }
}
