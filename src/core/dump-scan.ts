import { copiedTable, type DangerCode, dangerOf, takesRows } from "./dump-dangers.ts"
import { dumpLexer } from "./dump-lexer.ts"
import type { DumpPiece } from "./dump-piece.ts"

/** Something in a foreign script that a restore does not run. */
export interface DumpProblem {
  readonly code: DangerCode
  readonly line: number
  readonly what: string
}

/** Rows of one `COPY ... FROM stdin`, the table as it is written there. */
export interface CopiedRows {
  readonly database: string | undefined
  readonly table: string
  readonly rows: number
}

/** Lines of a script, both included. */
export interface LineRange {
  readonly from: number
  readonly to: number
}

export interface DumpScan {
  /** Where each database's part is, in a script that connects to several. */
  readonly parts: readonly (LineRange & { readonly database: string })[]
  /** Lines that no server needs and some refuse: `\\restrict`, and a setting that is new in 17. */
  readonly needless: readonly LineRange[]
  /** Lines that only a superuser may run: whose an object is, comments on extensions, default rights of others. */
  readonly privileged: readonly LineRange[]
  /** Lines of each `COPY ... FROM stdin`, which hold nothing else; its rows begin on the next one. */
  readonly copies: readonly LineRange[]
  /** Lines at whose end a statement ends, and none goes on: every one of them, or some of very many. */
  readonly ends: readonly number[]
  readonly lines: number

  /** As `-- Dumped from database version` says, `17.6`; undefined in a script that pg_dump did not write. */
  readonly serverVersion: string | undefined
  readonly dumpVersion: string | undefined
  /** Written by pg_dumpall: several databases, and roles. */
  readonly cluster: boolean
  /** The line that pg_dump writes last is there. */
  readonly complete: boolean
  readonly roles: readonly string[]
  readonly extensions: readonly string[]
  /** Databases that it connects to, in their order. */
  readonly databases: readonly string[]
  readonly copied: readonly CopiedRows[]
  readonly problems: readonly DumpProblem[]
}

export interface DumpScanner {
  write(chunk: Uint8Array): void
  end(): DumpScan
}

type Found = { -readonly [Key in keyof DumpScan]: DumpScan[Key] extends readonly (infer T)[] ? T[] : DumpScan[Key] }

/**
 * Reads an SQL dump, a chunk at a time and in constant memory, for what a restore has to know before it begins. It is
 * there for good messages, not for safety: SQL can hide anything from a scanner, so the script itself runs as a role
 * without rights over the server.
 */
export function dumpScanner(): DumpScanner {
  const found: Found = {
    ...{ serverVersion: undefined, dumpVersion: undefined, cluster: false, complete: false },
    ...{ parts: [], needless: [], privileged: [], copies: [], ends: [], lines: 0 },
    ...{ roles: [], extensions: [], databases: [], copied: [], problems: [] },
  }
  const state = { table: "", lastEnd: 0 }
  let [before, piece]: (DumpPiece | undefined)[] = []
  const next = (after: DumpPiece | undefined) => {
    if (piece) readPiece(found, piece, { before, after, state })
    before = piece
    piece = after
  }
  const lexer = dumpLexer(next)
  let zero = false
  return {
    write(chunk) {
      zero ||= chunk.includes(0)
      lexer.write(chunk)
    },
    end() {
      const whole = lexer.end()
      next(undefined)
      if (zero) found.problems.push({ code: "unclear", line: 0, what: "it holds a zero byte" })
      if (!whole) found.problems.push({ code: "cut-off", line: 0, what: "it ends within a statement or a table" })
      const unique = (names: readonly string[]) => [...new Set(names)]
      const { roles, extensions, databases } = found
      return { ...found, roles: unique(roles), extensions: unique(extensions), databases: unique(databases) }
    },
  }
}

interface Around {
  readonly before: DumpPiece | undefined
  readonly after: DumpPiece | undefined
  readonly state: { table: string; lastEnd: number }
}

/** So many ends of statements are told one by one; then one in so many bytes. */
const [endsLimit, endsApart] = [10_000, 1_048_576]

function readPiece(found: Found, piece: DumpPiece, { before, after, state }: Around): void {
  found.lines = piece.lastLine
  const endsLine = piece.lastLine < (after?.line ?? Number.POSITIVE_INFINITY)
  const alone = endsLine && (before?.lastLine ?? 0) < piece.line
  if (piece.kind === "comment") readComment(found, piece)
  else if (piece.kind === "meta") readMeta(found, piece, alone)
  else if (piece.kind === "rows")
    found.copied.push({ database: found.databases.at(-1), table: state.table, rows: piece.count })
  else {
    readStatement(found, piece, alone)
    if (takesRows(piece.text)) state.table = readCopy(found, piece, { alone, after })
    else if (endsLine && (found.ends.length < endsLimit || piece.to - state.lastEnd >= endsApart)) {
      found.ends.push(piece.lastLine)
      state.lastEnd = piece.to
    }
  }
}

/** The table. In any other form than pg_dump's, psql and we might not agree on which lines are rows. */
function readCopy(
  found: Found,
  { text, line, lastLine }: DumpPiece,
  { alone, after }: { readonly alone: boolean; readonly after: DumpPiece | undefined },
): string {
  const table = copiedTable(text)
  const rowsFollow = after === undefined || (after.kind === "rows" && after.line === lastLine + 1)
  if (alone && table !== undefined && rowsFollow) found.copies.push({ from: line, to: lastLine })
  else found.problems.push({ code: "copy", line, what: shown(text.replaceAll(/\s+/g, " ")) })
  return table ?? ""
}

function readComment(found: Found, { text, line }: DumpPiece): void {
  found.serverVersion ??= /^Dumped from database version (\d+(?:\.\d+)*)/.exec(text)?.[1]
  found.dumpVersion ??= /^Dumped by pg_dump version (\d+(?:\.\d+)*)/.exec(text)?.[1]
  if (text === "PostgreSQL database cluster dump") found.cluster = true
  const end = found.cluster ? "PostgreSQL database cluster dump complete" : "PostgreSQL database dump complete"
  if (text === end) found.complete = true
  if (text !== "PostgreSQL database dump complete") return
  // What follows, up to the next connecting, is about the next database.
  const part = found.parts.pop()
  if (part) found.parts.push({ ...part, to: Math.min(part.to, line) })
}

/** The commands that pg_dump and pg_dumpall write; a backtick in one would run a program (CVE-2026-18408). */
function readMeta(found: Found, { text, line }: DumpPiece, alone: boolean): void {
  if (alone && /^\\(un)?restrict [A-Za-z0-9]+$/.test(text)) {
    found.needless.push({ from: line, to: line })
    return
  }
  const database = alone ? connected(text) : undefined
  if (database !== undefined) beginPart(found, database, line)
  else if (/^\\(un)?restrict\b/.test(text)) found.problems.push({ code: "restrict", line, what: shown(text) })
  else found.problems.push({ code: "meta-command", line, what: shown(text) })
}

function beginPart(found: Found, database: string, line: number): void {
  const before = found.parts.pop()
  if (before) found.parts.push({ ...before, to: Math.min(before.to, line - 1) })
  found.parts.push({ database, from: line + 1, to: Number.MAX_SAFE_INTEGER })
  found.databases.push(database)
}

function connected(text: string): string | undefined {
  const name = /^\\connect (?:-reuse-previous=on )?("(?:[^"`]|"")+"|[\w-]+)$/.exec(text)?.[1]
  if (name === undefined) return undefined
  const bare = unquoted(name)
  return /^dbname='((?:[^'\\]|\\.)*)'$/.exec(bare)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? bare
}

const name = String.raw`("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`
const rolePatterns = [
  String.raw`\bowner to ${name}$`,
  String.raw`^grant [\s\S]+ to ${name}(?: with [\s\S]*)?$`,
  `^create (?:role|user|group) ${name}`,
  `^alter default privileges for role ${name}`,
  String.raw`^create schema [\s\S]+ authorization ${name}$`,
  `^set (?:session authorization|role) ${name}$`,
].map((pattern) => new RegExp(pattern, "iu"))
const extensionPattern = new RegExp(`^create extension (?:if not exists )?${name}`, "iu")
/** Lines are only left out when they hold nothing else. */
function readStatement(found: Found, piece: DumpPiece, alone: boolean): void {
  const { text, line, lastLine } = piece
  const words = text.replaceAll(/\s+/g, " ")
  if (alone && /^set transaction_timeout\b/i.test(words)) found.needless.push({ from: line, to: lastLine })
  if (alone && /^alter .+ owner to [^ ]+$|^alter default privileges |^comment on extension /i.test(words))
    found.privileged.push({ from: line, to: lastLine })
  for (const pattern of rolePatterns) {
    const role = pattern.exec(words)?.[1]
    if (role !== undefined && !/^(public|current_user|session_user|default)$/i.test(role))
      found.roles.push(unquoted(role))
  }
  const extension = extensionPattern.exec(words)?.[1]
  if (extension !== undefined) found.extensions.push(unquoted(extension))
  const danger = dangerOf(piece)
  // A role of the cluster that is a superuser is made as an ordinary one.
  if (danger && !(found.cluster && danger === "superuser"))
    found.problems.push({ code: danger, line, what: shown(words) })
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase()
}

/** No secret stands in it: the text of string constants was never kept. */
function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
