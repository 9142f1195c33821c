import { dollar, isTag } from "./dump-bytes.ts"

/** The word that a lexer is in, and what the words of its statement say about `BEGIN ... END`. */
export interface DumpWords {
  kind: "none" | "name" | "number"
  /** In lower case, cut. */
  text: string
  /** A number goes on with letters: versions of psql differ in where it ends. */
  mixed: boolean
  /** First letters of the words that begin the statement, as psql notes them; a dot for any other word. */
  heads: string
  /** How deep in the body of a function of standard SQL, whose semicolons do not end the statement. */
  depth: number
}

/** A word as it ended. */
export type DumpWord = Pick<DumpWords, "kind" | "text" | "mixed">

export function noWords(): DumpWords {
  return { kind: "none", text: "", mixed: false, heads: "", depth: 0 }
}

/** Takes a byte that may stand in a word; false when it is unclear which word it belongs to. */
export function followWord(words: DumpWords, byte: number): boolean {
  if (words.kind === "none") {
    if (byte === dollar) return true
    words.kind = isTag(byte, 1) ? "name" : "number"
  }
  if (words.kind === "number" && isTag(byte, 1)) words.mixed = true
  if (words.text.length < 10) words.text += String.fromCharCode(byte).toLowerCase()
  return words.kind !== "number" || byte !== dollar
}

/** Ends the word, if we are in one; counts it as psql does (psqlscan.l, `identifier`). */
export function endWord(words: DumpWords, parentheses: number): DumpWord | undefined {
  if (words.kind === "none") return undefined
  const ended = { kind: words.kind, text: words.text, mixed: words.mixed }
  words.kind = "none"
  words.text = ""
  words.mixed = false
  if (ended.kind === "name") countWord(words, ended.text, parentheses)
  return ended
}

const begins = new Set(["create", "or", "replace", "function", "procedure"])

function countWord(words: DumpWords, text: string, parentheses: number): void {
  if (words.heads.length < 4) words.heads += begins.has(text) ? text.charAt(0) : "."
  if (!/^c(or)?[fp]/.test(words.heads) || parentheses > 0) return
  if (text === "begin" || (text === "case" && words.depth > 0)) words.depth += 1
  else if (text === "end" && words.depth > 0) words.depth -= 1
}
