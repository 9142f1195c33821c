import { finished, Readable, type Writable } from "node:stream"
import { failure } from "../core/errors.ts"
import type { Command } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import { type Frame, frame } from "./frame.ts"
import type { ChannelEnd, FrameChannel, OpenChannel } from "./frame-channel.ts"
import { type FrameReader, frameReader } from "./frame-reader.ts"
import { HostError, type Input, type RunOptions, type RunResult } from "./host.ts"

/** What ended well enough to have an exit code, whatever code that is. */
export type FramedEnd = Omit<RunResult, "stdout">

/** A framed command under way. */
export interface FramedRun {
  /** Standard output. Ends without an error even when the command fails: `end` tells. */
  readonly output: Readable
  /** Rejects with a `HostError` when no exit code came. */
  readonly end: Promise<FramedEnd>
  /** Ends the command with this error, unless it ended already. */
  give(error: Error): void
}

const defaultTimeout = 60_000
/** Milliseconds the host waits longer than we do before it ends a command by itself. */
const hostGrace = 2_000
const stderrLimit = 1 << 20

/** Starts a command inside its frame. `name` is the host's, for messages. */
export function runFramed(open: OpenChannel, name: string, command: Command, options: RunOptions = {}): FramedRun {
  const { timeout = defaultTimeout, input, signal } = options
  const framed = frame(command.text, { input: input !== undefined, limit: timeout + hostGrace })
  const { out, err, stderr } = readersOf(framed)
  const outcome = Promise.withResolvers<FramedEnd>()
  handled(outcome.promise)
  const began = performance.now()
  let settled = false
  let timer: NodeJS.Timeout | undefined

  function settle(act: () => void): void {
    if (settled) return
    settled = true
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
    if (input instanceof Readable) input.destroy()
    act()
  }
  function give(error: Error): void {
    settle(() => {
      outcome.reject(error)
      out.stream.destroy(error)
      err.stream.destroy()
      channel.then((one) => one.kill(out.group())).catch(() => undefined) // It never opened: there is nothing to end.
    })
  }
  const abort = () => give(aborted(name, signal))

  const channel = open(signal)
  watchInput(input, give)
  signal?.addEventListener("abort", abort, { once: true })
  if (signal?.aborted) abort()
  channel
    .then(async (one) => {
      if (settled) return
      timer = setTimeout(() => give(timedOut(name, command, timeout)), timeout)
      connect(one, out, err)
      feed(one.stdin, framed.bytes, input)
      const code = await verdict({ channel: one, out, err, name, command })
      const duration = Math.round(performance.now() - began)
      settle(() => outcome.resolve({ command, code, stderr: stderr(), duration }))
      one.close()
    })
    .catch((error: Error) => give(error))
  return { output: out.stream, end: outcome.promise, give }
}

/** A rejection that comes before the caller looks must not end the process; the caller still gets it. */
function handled(promise: Promise<unknown>): void {
  promise.catch(() => undefined)
}

function readersOf(framed: Frame): { out: FrameReader; err: FrameReader; stderr: () => string } {
  const [out, err] = [frameReader(framed), frameReader(framed)]
  for (const { stream } of [out, err]) stream.on("error", () => undefined) // The run's end carries the same error.
  return { out, err, stderr: keepTail(err.stream, stderrLimit) }
}

/** A source that breaks must not look like the end of the data. */
function watchInput(input: Input | undefined, give: (error: Error) => void): void {
  if (!(input instanceof Readable)) return
  finished(input, { writable: false }, (error) => {
    if (error) give(failure("input-broken", `a command's data could not be read: ${error.message}`, { cause: error }))
  })
}

/** The end marks of both streams are proof; without them, what the transport says once both streams are read to their end. */
async function verdict(parts: {
  channel: FrameChannel
  out: FrameReader
  err: FrameReader
  name: string
  command: Command
}): Promise<number> {
  const { channel, out, err, name, command } = parts
  await Promise.all([out.settled, err.settled])
  const code = out.code()
  if (code !== undefined) return code
  throw noEnd(await channel.closed, { started: out.started(), name, command })
}

function noEnd(end: ChannelEnd, at: { started: boolean; name: string; command: Command }): HostError {
  const shown = `\`${firstLine(at.command)}\``
  if (end.signal !== undefined)
    return new HostError(
      "lost",
      `${shown} on ${at.name} was ended by signal ${end.signal}: it is not known how far it got`,
    )
  if (!at.started && end.code !== undefined) {
    return new HostError(
      "did-not-run",
      `${at.name} accepted the login but never ran ${shown} (it answered with exit code ${end.code})`,
      {
        hint: "Check the user's login shell, its start-up files (nothing in them may read standard input or exit) and any ForceCommand or command= restriction.",
      },
    )
  }
  return new HostError("lost", `${at.name} broke off during ${shown}: it is not known how far it got`)
}

function connect(channel: FrameChannel, out: FrameReader, err: FrameReader): void {
  for (const [from, to] of [
    [channel.stdout, out.stream],
    [channel.stderr, err.stream],
  ] as const) {
    from.pipe(to, { end: false })
    finished(from, { writable: false }, () => to.end())
  }
}

/** Writes the frame, then the command's input. A command may end without reading it all: its exit code tells, not EPIPE. */
function feed(stdin: Writable, bytes: Buffer, input: Input | undefined): void {
  stdin.on("error", () => undefined)
  stdin.write(bytes)
  if (!(input instanceof Readable)) {
    if (input === undefined) stdin.end()
    else stdin.end(input instanceof Secret ? input.reveal() : input)
    return
  }
  input.pipe(stdin)
}

/** Reads a stream to its end and keeps the last `limit` bytes. */
function keepTail(stream: Readable, limit: number): () => string {
  let kept: Buffer[] = []
  let size = 0
  stream.on("data", (chunk: Buffer) => {
    kept.push(chunk)
    size += chunk.length
    if (size > 2 * limit) {
      kept = [Buffer.concat(kept).subarray(-limit)]
      size = limit
    }
  })
  return () => Buffer.concat(kept).subarray(-limit).toString()
}

function timedOut(name: string, command: Command, timeout: number): HostError {
  return new HostError("timeout", `\`${firstLine(command)}\` on ${name} gave no answer within ${timeout / 1000} s`)
}

function aborted(name: string, signal: AbortSignal | undefined): HostError {
  return new HostError("aborted", `work on ${name} was called off`, { cause: signal?.reason })
}

function firstLine(command: Command): string {
  const line = command.text.trim().split("\n")[0] ?? ""
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
