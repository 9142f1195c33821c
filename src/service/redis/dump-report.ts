import { failure } from "../../core/errors.ts"
import { type Keyspace, totalKeys } from "../../core/key-counts.ts"
import { parseKeyspace } from "./server-answer.ts"
import { readLength } from "./snapshot-set.ts"

/** A file that a dump left, as counted and summed while it was written. */
export interface DumpedFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** What the dump scripts print. */
export interface DumpReport {
  readonly before: Keyspace
  readonly after: Keyspace
  /** Whether nothing was written, ran out or was evicted meanwhile; only Dragonfly is asked. */
  readonly quiet: boolean
  /** Keys that Dragonfly counted while it wrote; undefined when it does not tell. */
  readonly written: number | undefined
  readonly files: readonly DumpedFile[]
  /** What the stored bytes hold, read to their end; undefined for Dragonfly, which has no checker. */
  readonly checked: CheckedSnapshot | undefined
}

export interface CheckedSnapshot {
  readonly magic: string
  /** Exact: the sizes of the databases at the moment of the snapshot. */
  readonly keyspace: Keyspace
}

/** Reads the lines of a dump script. Throws `snapshot-unproven` when something that must be there is not. */
export function parseDumpReport(text: string): DumpReport {
  const all = text.split("\n")
  const after = (word: string) =>
    all.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
  const [before] = after("before")
  const [later] = after("after")
  const files = after("file").map(parseFile)
  if (before === undefined || later === undefined || files.length === 0) {
    throw failure("snapshot-unproven", "the snapshot's report is not whole: its counts or its files are missing")
  }
  const checked = after("magic").length > 0 ? parseCheck(text) : undefined
  const [was, is] = [changesIn(before), changesIn(later)]
  return {
    before: parseKeyspace(before),
    after: parseKeyspace(later),
    quiet: was !== undefined && was === is,
    written: parseWritten(after("wrote")[0]),
    files,
    checked,
  }
}

/** Dragonfly's counters of all that changes keys, in one word; undefined when it does not have them all. */
function changesIn(line: string): string | undefined {
  const counters = ["keyspace_mutations", "expired_keys", "evicted_keys"].map(
    (name) => new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1],
  )
  return counters.includes(undefined) ? undefined : counters.join()
}

/** The types that Dragonfly counts what it writes by; whatever has none of these is `other`. */
const types = ["string", "list", "set", "zset", "hash", "stream", "other"]

/** Reads `rdb_string:3 rdb_hash:1`. A word that is not known may be no type: then nothing is told. */
function parseWritten(line: string | undefined): number | undefined {
  const counts = line
    ?.split(" ")
    .filter((word) => word !== "")
    .map((word) => /^rdb_([a-z]+):(\d+)$/.exec(word) ?? [])
  if (counts === undefined || counts.some(([, type = ""]) => !types.includes(type))) return undefined
  return counts.reduce((sum, [, , keys]) => sum + Number(keys), 0)
}

/** Reads the lines of `check_rdb`. The sum over the databases must be the number of keys that the checker read. */
export function parseCheck(text: string): CheckedSnapshot {
  const magic = /^magic (\S+)$/m.exec(text)?.[1] ?? ""
  const keys = /^keys (\d+)$/m.exec(text)?.[1]
  const found = [...text.matchAll(/^select (\d+) ([0-9a-f]*)$/gm)].map(([, database, bytes]) =>
    databaseSize(Number(database), Buffer.from(bytes ?? "", "hex")),
  )
  const keyspace = found.filter((one) => one.keys > 0).sort((a, b) => a.database - b.database)
  if (keys === undefined || totalKeys(keyspace) !== Number(keys)) {
    throw failure(
      "snapshot-unproven",
      `the snapshot says that it holds ${totalKeys(keyspace)} keys, its checker read ${keys ?? "none"}`,
    )
  }
  return { magic, keyspace }
}

/** After a database's number an RDB file gives the sizes of its two tables: opcode 0xFB, keys, keys with an expiry. */
function databaseSize(database: number, bytes: Buffer): Keyspace[number] {
  const at = { bytes, offset: 1 }
  if (bytes[0] !== 0xfb) throw failure("snapshot-unproven", `the snapshot does not say how many keys db${database} has`)
  const keys = readLength(at).value
  return { database, keys, expires: readLength(at).value }
}

function parseFile(line: string): DumpedFile {
  const [, bytes, sha256, name] = /^(\d+) ([0-9a-f]{64}) (\S+)$/.exec(line) ?? []
  if (bytes === undefined || sha256 === undefined || name === undefined) {
    throw failure("snapshot-unproven", `the snapshot's report has a line that cannot be read: ${line.slice(0, 120)}`)
  }
  return { name, bytes: Number(bytes), sha256 }
}
