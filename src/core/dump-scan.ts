import { dumpLexer } from "./dump-lexer.ts"
import type { DumpPiece } from "./dump-piece.ts"

/** Something in a foreign script that a restore does not run. */
export interface DumpProblem {
  readonly code: "meta-command" | "program" | "server-file" | "superuser" | "restrict" | "cut-off"
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
    ...{ parts: [], needless: [], privileged: [], lines: 0 },
    ...{ roles: [], extensions: [], databases: [], copied: [], problems: [] },
  }
  let table = ""
  const lexer = dumpLexer((piece) => {
    found.lines = piece.lastLine
    if (piece.kind === "comment") readComment(found, piece)
    else if (piece.kind === "meta") readMeta(found, piece)
    else if (piece.kind === "statement") table = readStatement(found, piece) ?? table
    else found.copied.push({ database: found.databases.at(-1), table, rows: piece.count })
  })
  return {
    write: (chunk) => lexer.write(chunk),
    end() {
      if (!lexer.end()) found.problems.push({ code: "cut-off", line: 0, what: "it ends within a statement or a table" })
      const unique = (names: readonly string[]) => [...new Set(names)]
      const { roles, extensions, databases } = found
      return { ...found, roles: unique(roles), extensions: unique(extensions), databases: unique(databases) }
    },
  }
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
function readMeta(found: Found, { text, line }: DumpPiece): void {
  if (/^\\(un)?restrict [A-Za-z0-9]+$/.test(text)) {
    found.needless.push({ from: line, to: line })
    return
  }
  const database = connected(text)
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
const dangers: readonly (readonly [RegExp, DumpProblem["code"]])[] = [
  [/^copy\b[\s\S]*\b(from|to)\s+program\b/i, "program"],
  [/^copy\b[\s\S]*\b(from|to)\s+e?'/i, "server-file"],
  [/^alter\s+system\b/i, "superuser"],
  [/^load\s+e?'/i, "superuser"],
  [/^(create|alter)\s+(role|user)\b[\s\S]*\bsuperuser\b/i, "superuser"],
]

/** The table of a COPY, if it is one. */
function readStatement(found: Found, { text, line, lastLine }: DumpPiece): string | undefined {
  const words = text.replaceAll(/\s+/g, " ")
  if (/^set transaction_timeout\b/i.test(words)) found.needless.push({ from: line, to: lastLine })
  if (/^alter .+ owner to [^ ]+$|^alter default privileges |^comment on extension /i.test(words))
    found.privileged.push({ from: line, to: lastLine })
  for (const pattern of rolePatterns) {
    const role = pattern.exec(words)?.[1]
    if (role !== undefined && !/^(public|current_user|session_user|default)$/i.test(role))
      found.roles.push(unquoted(role))
  }
  const extension = extensionPattern.exec(words)?.[1]
  if (extension !== undefined) found.extensions.push(unquoted(extension))
  const danger = dangers.find(([pattern]) => pattern.test(text))
  // NOSUPERUSER is one word; a role of the cluster that is a superuser is made as an ordinary one.
  if (danger && !(found.cluster && danger[1] === "superuser"))
    found.problems.push({ code: danger[1], line, what: shown(words) })
  return /^copy (.+?) ?(?:\(|from stdin)/i.exec(words)?.[1]
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase()
}

/** No secret stands in it: the text of string constants was never kept. */
function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
