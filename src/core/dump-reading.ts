import { newline } from "./dump-bytes.ts"
import { takesRows } from "./dump-dangers.ts"
import type { DumpPiece } from "./dump-piece.ts"
import { type DumpWords, noWords } from "./dump-words.ts"

/** A statement's text is kept so far; what matters stands at its beginning, but for a COPY of a thousand columns. */
const [textLimit, copyLimit] = [4096, 131_072]
/** So many string constants are kept, and so many bytes of each as `stringLimit` says. */
export const stringsLimit = 16
const stringLimit = 64
/** Where a lexer is in a script, and what it keeps of the piece that it reads. */
export interface Reading {
  readonly emit: (piece: DumpPiece) => void
  state: "top" | "string" | "escapes" | "escaped" | "quoted" | "dollar" | "line" | "block" | "meta" | "rows"
  offset: number
  line: number
  /** Where the piece begins; -1 between pieces. */
  start: number
  startLine: number
  text: number[]
  /** A dollar tag as far as it was read, the last bytes within a dollar quote, or the first of a row. */
  inner: number[]
  tag: readonly number[]
  depth: number
  parentheses: number
  before: number
  words: DumpWords
  strings: number[][]
  /** How the last string constant was read, as long as another may belong to it. */
  closed: "string" | "escapes" | undefined
  unclear: boolean
  /** A COPY has ended with its semicolon: its rows begin on the next line. */
  rowsFollow: boolean
  /** standard_conforming_strings is off. */
  backslashEscapes: boolean
  /** The comment is within a statement. */
  within: boolean
  count: number
}

export function newReading(emit: (piece: DumpPiece) => void): Reading {
  return {
    ...{ emit, state: "top", offset: 0, line: 1, start: -1, startLine: 1, text: [], inner: [], tag: [] },
    ...{ depth: 0, parentheses: 0, before: newline, count: 0, words: noWords(), strings: [], closed: undefined },
    ...{ rowsFollow: false, backslashEscapes: false, within: false, unclear: false },
  }
}

/** Hands the piece out that ends here, and begins anew. */
export function give(reading: Reading, kind: DumpPiece["kind"], to: number): void {
  const text = Buffer.from(reading.text).toString("utf8").trim()
  const strings = reading.strings.map((one) => Buffer.from(one).toString("utf8"))
  const { emit, start: from, startLine: line, count, unclear } = reading
  Object.assign(reading, {
    state: "top",
    start: -1,
    text: [],
    strings: [],
    count: 0,
    unclear: false,
    closed: undefined,
  })
  reading.words = noWords()
  emit({ kind, from, to, line, lastLine: reading.line, text, strings, unclear, count })
  if (kind !== "statement") return
  const setting = /^set\s+standard_conforming_strings\s*(?:=|to)\s*(\w+)/i.exec(text)?.[1]
  if (setting !== undefined) reading.backslashEscapes = setting.toLowerCase() === "off"
  if (takesRows(text)) reading.rowsFollow = true
}

/** Keeps a byte of the piece's text. */
export function keep({ text }: Reading, byte: number): void {
  if (text.length < textLimit || (text.length < copyLimit && isCopy(text))) text.push(byte)
}

function isCopy(text: readonly number[]): boolean {
  return /^copy$/i.test(String.fromCharCode(...text.slice(0, 4)))
}

/** Keeps a byte of its last string constant. */
export function keepString({ strings }: Reading, byte: number): void {
  const last = strings.at(-1)
  if (last && last.length < stringLimit && strings.length < stringsLimit) last.push(byte)
}
