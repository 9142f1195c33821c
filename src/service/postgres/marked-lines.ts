import { randomBytes } from "node:crypto"
import type { Progress } from "../../core/progress.ts"

/** A word that nobody can guess: what a script of ours prints behind it is ours, whatever else prints. */
export function newNonce(): string {
  return `ia-${randomBytes(12).toString("hex")}`
}

/** The lines that begin with the nonce, without it, in order. */
export function markedLines(text: string, nonce: string): readonly string[] {
  const mark = `${nonce} `
  return text.split("\n").flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : []))
}

/** What follows `key` on marked lines. */
export function valuesOf(lines: readonly string[], key: string): readonly string[] {
  return lines.flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []))
}

/** Did the script come to its own end, with code 0? `docker exec` answers 0 also when it was told to stop. */
export function cameToEnd(lines: readonly string[]): boolean {
  return lines.at(-1) === "end 0"
}

/** The bytes that a script of ours tells from time to time. */
export function progressOf(nonce: string, total: number | undefined): Progress {
  return {
    total,
    read: (line) => {
      const [bytes] = valuesOf(markedLines(line, nonce), "progress")
      return bytes === undefined ? undefined : Number(bytes)
    },
  }
}
