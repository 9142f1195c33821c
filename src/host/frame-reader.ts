import { Transform } from "node:stream"
import type { Frame } from "./frame.ts"

/** Takes one output stream of a framed command apart. */
export interface FrameReader {
  /** Write what came from the host, read what the command wrote: bytes before the start mark and after the end are dropped. */
  readonly stream: Transform
  /** Did the start mark arrive? */
  started(): boolean
  /** The command's process group on the host; undefined when it has none of its own, or before the start mark. */
  group(): number | undefined
  /** The exit code that came with the end mark; undefined before. */
  code(): number | undefined
  /** Resolves when the end mark was read, or the stream ended without one. */
  readonly settled: Promise<void>
}

/** Passes bytes on as they come and holds back only what might be the beginning of the end mark. */
export function frameReader({ start, end }: Pick<Frame, "start" | "end">): FrameReader {
  const settled = Promise.withResolvers<void>()
  const state: State = {
    startMark: Buffer.from(`${start} `),
    endMark: Buffer.from(`\n${end} `),
    phase: "noise",
    held: Buffer.alloc(0),
    group: undefined,
    code: undefined,
  }
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      state.held = state.held.length > 0 ? Buffer.concat([state.held, chunk]) : chunk
      while (phases[state.phase](state, stream));
      if (state.code !== undefined) settled.resolve()
      next()
    },
    flush(next) {
      if (state.phase === "output" && state.held.length > 0) stream.push(state.held)
      next()
    },
  })
  stream.once("finish", () => settled.resolve())
  stream.once("close", () => settled.resolve())
  return {
    stream,
    started: () => state.phase !== "noise",
    group: () => state.group,
    code: () => state.code,
    settled: settled.promise,
  }
}

type Phase = "noise" | "group" | "output" | "code" | "done"

interface State {
  readonly startMark: Buffer
  readonly endMark: Buffer
  phase: Phase
  held: Buffer
  group: number | undefined
  code: number | undefined
}

/** What each phase does with what is held; true when the rest belongs to the next phase. */
const phases: Record<Phase, (state: State, stream: Transform) => boolean> = {
  noise(state) {
    const { held, startMark } = state
    const at = held.indexOf(startMark)
    state.held =
      at < 0 ? held.subarray(Math.max(0, held.length - startMark.length)) : held.subarray(at + startMark.length)
    if (at >= 0) state.phase = "group"
    return at >= 0
  },
  group(state) {
    const line = takeLine(state)
    if (line === undefined) return false
    state.group = Number(line) || undefined
    state.phase = "output"
    return true
  },
  output(state, stream) {
    const { held, endMark } = state
    const at = held.indexOf(endMark)
    const cut = at < 0 ? held.length - possibleMark(held, endMark) : at
    if (cut > 0) stream.push(held.subarray(0, cut))
    state.held = held.subarray(at < 0 ? cut : at + endMark.length)
    if (at >= 0) state.phase = "code"
    return at >= 0
  },
  code(state, stream) {
    const line = takeLine(state)
    if (line === undefined) return false
    state.code = Number(line)
    state.phase = "done"
    stream.push(null)
    return true
  },
  done(state) {
    state.held = Buffer.alloc(0)
    return false
  },
}

function takeLine(state: State): string | undefined {
  const at = state.held.indexOf("\n")
  if (at < 0) return undefined
  const line = state.held.toString("latin1", 0, at)
  state.held = state.held.subarray(at + 1)
  return line
}

/** How many bytes at the end of `bytes` could be the beginning of `mark`, whose only line feed is its first byte. */
function possibleMark(bytes: Buffer, mark: Buffer): number {
  const at = bytes.lastIndexOf("\n")
  if (at < 0) return 0
  const tail = bytes.subarray(at)
  return tail.length < mark.length && mark.subarray(0, tail.length).equals(tail) ? tail.length : 0
}
