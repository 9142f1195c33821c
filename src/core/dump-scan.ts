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

export interface DumpScan {
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
    ...{ roles: [], extensions: [], databases: [], copied: [], problems: [] },
  }
  let table = ""
  const lexer = dumpLexer((piece) => {
    if (piece.kind === "comment") readComment(found, piece.text)
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

function readComment(found: Found, text: string): void {
  found.serverVersion ??= /^Dumped from database version (\d+(?:\.\d+)*)/.exec(text)?.[1]
  found.dumpVersion ??= /^Dumped by pg_dump version (\d+(?:\.\d+)*)/.exec(text)?.[1]
  if (text === "PostgreSQL database cluster dump") found.cluster = true
  const end = found.cluster ? "PostgreSQL database cluster dump complete" : "PostgreSQL database dump complete"
  if (text === end) found.complete = true
}

/** The commands that pg_dump and pg_dumpall write; a backtick in one would run a program (CVE-2026-18408). */
function readMeta(found: Found, { text, line }: DumpPiece): void {
  if (/^\\(un)?restrict [A-Za-z0-9]+$/.test(text)) return
  const database = connected(text)
  if (database !== undefined) found.databases.push(database)
  else if (/^\\(un)?restrict\b/.test(text)) found.problems.push({ code: "restrict", line, what: shown(text) })
  else found.problems.push({ code: "meta-command", line, what: shown(text) })
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
function readStatement(found: Found, { text, line }: DumpPiece): string | undefined {
  const words = text.replaceAll(/\s+/g, " ")
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
