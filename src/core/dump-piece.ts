/** A piece of an SQL script, as `psql` would read it. Offsets are in bytes, `to` is the first byte after it. */
export interface DumpPiece {
  readonly kind: "statement" | "meta" | "comment" | "rows"
  readonly from: number
  readonly to: number
  /** Line on which it begins, from 1. */
  readonly line: number
  /** Line on which it ends. */
  readonly lastLine: number
  /** Its first bytes, without the text of string constants. Empty for rows. */
  readonly text: string
  /** Beginnings of its first string constants, one for each `''` of `text`. May hold secrets: not to be shown. */
  readonly strings: readonly string[]
  /** Versions of psql, or psql and the server, read it in different ways. */
  readonly unclear: boolean
  /** Of rows: how many. */
  readonly count: number
}

/** Takes a script a chunk at a time. */
export interface DumpLexer {
  write(chunk: Uint8Array): void
  /** Gives out what is left; false when the script ends in the middle of something. */
  end(): boolean
}
