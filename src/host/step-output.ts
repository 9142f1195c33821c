import { Buffer } from "node:buffer"
import { progressLines } from "../core/progress.ts"
import type { StepOptions } from "./work.ts"

/** The output of work, with each line as it comes. */
export interface Output {
  add(chunk: Buffer): void
  bytes(): number
  finish(): string
}

/** Gathers the output of a step; `onLine` sees each line as soon as it is whole. */
export function collect(onLine: ((line: string) => void) | undefined): Output {
  const chunks: Buffer[] = []
  let size = 0
  let rest = Buffer.alloc(0)
  const show = (line: Buffer) => onLine?.(line.toString("utf8").replace(/\r$/, ""))
  return {
    add(chunk) {
      chunks.push(chunk)
      size += chunk.length
      if (!onLine) return
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        show(Buffer.concat([rest, chunk.subarray(from, end)]))
        rest = Buffer.alloc(0)
        from = end + 1
      }
      rest = Buffer.concat([rest, chunk.subarray(from)])
    },
    bytes: () => size,
    finish() {
      if (rest.length > 0) show(rest)
      rest = Buffer.alloc(0)
      return Buffer.concat(chunks).toString("utf8")
    },
  }
}

/** Who sees each line of a step, and tells in the log how far it has come. */
export function lineReader(
  name: string,
  { onLine, progress }: StepOptions,
  log: ((line: string) => void) | undefined,
): ((line: string) => void) | undefined {
  if (!progress || !log) return onLine
  const tell = progressLines(name, progress, Date.now)
  return (line) => {
    onLine?.(line)
    const done = progress.read(line)
    const told = done === undefined ? progress.say?.(line) : tell(done)
    if (told !== undefined) log(told)
  }
}
