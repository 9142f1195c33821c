import {
  backslash,
  close,
  dash,
  dollar,
  dot,
  double,
  isSpace,
  isTag,
  isWord,
  newline,
  open,
  quote,
  semicolon,
  slash,
  star,
} from "./dump-bytes.ts"
import type { DumpLexer, DumpPiece } from "./dump-piece.ts"
import { give, keep, keepString, newReading, type Reading, stringsLimit } from "./dump-reading.ts"
import { type DumpWord, endWord, followWord } from "./dump-words.ts"

const carriageReturn = 13
const byteOrderMark = [0xef, 0xbb, 0xbf]

/**
 * Takes an SQL script apart into statements, psql commands, comments and rows of COPY, a chunk at a time, in constant
 * memory. PostgreSQL's lexical structure (manual 4.1) and psql's: a backslash outside of quotes is a command wherever it
 * stands; rows end with a line that is `\.` and nothing else.
 */
export function dumpLexer(emit: (piece: DumpPiece) => void): DumpLexer {
  const reading = newReading(emit)
  return {
    write(chunk) {
      for (let at = 0; at < chunk.length; at++) {
        if (reading.state === "rows" && reading.inner.length === 4) {
          // Nothing in a long row matters but its end.
          const found = chunk.indexOf(newline, at)
          const end = found < 0 ? chunk.length : found
          reading.offset += end - at
          at = end
          if (at === chunk.length) break
        }
        step(reading, chunk[at] as number)
      }
    },
    end() {
      if (reading.state === "line") leaveComment(reading)
      if (reading.state === "meta") give(reading, "meta", reading.offset)
      return reading.state === "top" && reading.start < 0 && !reading.rowsFollow
    },
  }
}

function step(reading: Reading, byte: number): void {
  // psql skips the mark that some editors put first.
  const seen = byte === byteOrderMark[reading.offset] || read(reading, byte) ? 0 : byte
  if (byte === newline) reading.line += 1
  reading.before = seen
  reading.offset += 1
}

/** True when the byte is used up: it cannot be the first of two that belong together. */
function read(reading: Reading, byte: number): boolean {
  switch (reading.state) {
    case "top":
      return readTop(reading, byte)
    case "string":
    case "escapes":
      return readString(reading, byte)
    case "escaped":
      reading.state = "escapes"
      keepString(reading, byte)
      return true
    case "quoted":
      keep(reading, byte)
      if (byte === double) reading.state = "top"
      return false
    case "dollar":
      return readDollar(reading, byte)
    case "line":
      if (byte === newline || byte === carriageReturn) leaveComment(reading)
      else if (!reading.within) keep(reading, byte)
      return false
    case "block":
      return readBlock(reading, byte)
    case "meta":
      if (byte === newline) give(reading, "meta", reading.offset + 1)
      else keep(reading, byte)
      return false
    case "rows":
      return readRow(reading, byte)
  }
}

function readTop(reading: Reading, byte: number): boolean {
  if (byte === dash && reading.before === dash) return enterComment(reading, "line")
  if (byte === star && reading.before === slash) return enterComment(reading, "block")
  if (byte === newline && reading.rowsFollow && reading.start < 0) {
    reading.rowsFollow = false
    reading.state = "rows"
    reading.inner = []
    return false
  }
  const word = isWord(byte) ? undefined : endWord(reading.words, reading.parentheses)
  if (byte === semicolon && reading.parentheses === 0 && reading.words.depth === 0) {
    reading.inner = []
    if (reading.start >= 0) give(reading, "statement", reading.offset + 1)
    return false
  }
  if (reading.start < 0 && isSpace(byte)) return false
  if (reading.start < 0) {
    reading.start = reading.offset
    reading.startLine = reading.line
  }
  if (followTag(reading, byte)) return true
  if (isWord(byte) && !followWord(reading.words, byte)) reading.unclear = true
  if (byte === quote) return openString(reading, word)
  // A comment may stand between two parts of one constant.
  if (!isSpace(byte) && byte !== dash && byte !== slash) reading.closed = undefined
  keep(reading, byte)
  if (byte === open) reading.parentheses += 1
  else if (byte === close) reading.parentheses = Math.max(0, reading.parentheses - 1)
  else if (byte === double) reading.state = "quoted"
  // What of a statement stands before it goes on behind it in psql; here the whole of it is the command.
  else if (byte === backslash) reading.state = "meta"
  return false
}

/** Begins a string constant, or goes on with the last one behind a doubled quote. */
function openString(reading: Reading, word: DumpWord | undefined): false {
  if (reading.before === quote && reading.closed !== undefined) {
    reading.state = reading.closed
    if (reading.text.at(-1) === quote) reading.text.pop()
    keepString(reading, quote)
    return false
  }
  const marked = word?.kind === "name" && word.text === "e"
  if (reading.closed === "escapes" || word?.mixed) reading.unclear = true
  reading.state = marked || reading.backslashEscapes ? "escapes" : "string"
  keep(reading, quote)
  if (reading.strings.length < stringsLimit) reading.strings.push([])
  return false
}

/** Follows `$tag$`; true when it is complete and a dollar quote begins. */
function followTag(reading: Reading, byte: number): boolean {
  if (reading.inner.length > 0 && byte === dollar) {
    reading.tag = [...reading.inner, dollar]
    reading.inner = []
    reading.state = "dollar"
    reading.closed = undefined
    // What looked like a word was its tag.
    Object.assign(reading.words, { kind: "none", text: "", mixed: false })
    return true
  }
  if (reading.inner.length > 0) reading.inner = isTag(byte, reading.inner.length) ? [...reading.inner, byte] : []
  else if (byte === dollar && reading.words.kind === "none") reading.inner = [dollar]
  return false
}

function readString(reading: Reading, byte: number): boolean {
  if (byte !== quote) keepString(reading, byte)
  if (byte === backslash && reading.state === "escapes") reading.state = "escaped"
  if (byte !== quote) return false
  reading.closed = reading.state === "escapes" ? "escapes" : "string"
  reading.state = "top"
  keep(reading, quote)
  return false
}

function readDollar(reading: Reading, byte: number): boolean {
  const { inner, tag } = reading
  inner.push(byte)
  if (inner.length > tag.length) inner.shift()
  if (byte !== dollar || inner.length !== tag.length || !inner.every((one, at) => one === tag[at])) return false
  reading.state = "top"
  reading.inner = []
  return true
}

function enterComment(reading: Reading, kind: "line" | "block"): boolean {
  reading.within = reading.text.length > 1
  reading.text.pop()
  reading.inner = []
  reading.depth = 1
  reading.state = kind
  return true
}

function readBlock(reading: Reading, byte: number): boolean {
  const opens = byte === star && reading.before === slash
  const closes = byte === slash && reading.before === star
  reading.depth += Number(opens) - Number(closes)
  if (reading.depth === 0) leaveComment(reading)
  return opens || closes
}

function leaveComment(reading: Reading): void {
  reading.state = "top"
  if (reading.within) keep(reading, 32)
  else give(reading, "comment", reading.offset)
}

function readRow(reading: Reading, byte: number): boolean {
  if (reading.start < 0) {
    reading.start = reading.offset
    reading.startLine = reading.line
  }
  if (byte !== newline) {
    if (reading.inner.length < 4) reading.inner.push(byte)
    return false
  }
  const [first, second, third] = reading.inner
  const ends = first === backslash && second === dot && (third === undefined || third === 13)
  if (ends && reading.inner.length <= 3) give(reading, "rows", reading.offset + 1)
  else reading.count += 1
  reading.inner = []
  return false
}
