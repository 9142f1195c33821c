import { type DrillRecord, lastDrill } from "./drill-record.ts"
import { keysIn } from "./key-counts.ts"
import type { Artifact, DatabaseContents, Manifest, ServiceBackup, TableCount } from "./manifest.ts"

export interface CountDifference {
  /** `app.public.users rows`, `db0 keys`: what was counted. */
  readonly what: string
  /** -1 stands for "is not there". */
  readonly expected: number
  readonly actual: number
}

/**
 * Every count of databases that is not exactly as expected: rows per table, tables that are missing or have come up,
 * large objects. Empty means: equal.
 */
export function compareDatabases(
  expected: readonly DatabaseContents[],
  actual: readonly DatabaseContents[],
): readonly CountDifference[] {
  return compareCounts(databaseCounts(expected), databaseCounts(actual))
}

/** Tables, and large objects, whose content differs although their count may not; only those whose checksum both have. */
export function differentContent(
  expected: readonly DatabaseContents[],
  actual: readonly DatabaseContents[],
): readonly string[] {
  const now = databaseChecksums(actual)
  return [...databaseChecksums(expected)]
    .filter(([what, checksum]) => now.has(what) && now.get(what) !== checksum)
    .map(([what]) => what)
}

/** Every count that differs between two maps; a count that is missing on one side is -1 there. */
export function compareCounts(
  expected: ReadonlyMap<string, number>,
  actual: ReadonlyMap<string, number>,
): readonly CountDifference[] {
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .map((what) => ({ what, expected: expected.get(what) ?? -1, actual: actual.get(what) ?? -1 }))
    .filter((count) => count.expected !== count.actual)
}

/** One line for a person: `app.public.users rows: 17 instead of 20`. */
export function describeDifference({ what, expected, actual }: CountDifference): string {
  if (actual === -1) return `${what}: not there, expected ${expected}`
  if (expected === -1) return `${what}: ${actual}, not expected at all`
  return `${what}: ${actual} instead of ${expected}`
}

/** The files of all services of a backup. */
export function artifactsOf({ services }: Pick<Manifest, "services">): readonly Artifact[] {
  return services.flatMap(({ artifacts }) => artifacts)
}

export interface Totals {
  readonly bytes: number
  readonly tables: number
  readonly rows: number
  readonly keys: number
}

/** What a backup holds, summed up; `bytes` as stored. */
export function totals(services: readonly ServiceBackup[]): Totals {
  const databases = services.flatMap(({ contents }) => (contents.kind === "postgres" ? contents.databases : []))
  const keys = services.map(({ contents }) => (contents.kind === "postgres" ? 0 : keysIn(contents)))
  const tables = databases.flatMap((database) => database.tables)
  return {
    bytes: sum(services.flatMap(({ artifacts }) => artifacts.map(({ bytes }) => bytes))),
    tables: tables.length,
    rows: sum(tables.map(({ rows }) => rows)),
    keys: sum(keys),
  }
}

/**
 * Whether this manifest is proof of a good backup in `store`. A manifest is only written after the local files were
 * proven (S1); in S3 it also takes an upload whose bytes were compared, by a tier that is named, for every file. Of
 * `drills`, newest first, the last one of this copy disproves it when it failed.
 */
export function isProven(
  manifest: Manifest,
  store: "local" | "s3",
  drills: readonly Pick<DrillRecord, "backup" | "source" | "result">[] = [],
): boolean {
  if (lastDrill(drills, { backup: manifest.id, source: store })?.result === "failed") return false
  if (store === "local") return manifest.storage.local === "success"
  const stored = new Set(manifest.storage.objects.map(({ file }) => file))
  const all = artifactsOf(manifest).every(({ file }) => stored.has(file))
  return manifest.storage.s3 === "success" && manifest.storage.tier !== undefined && all
}

/** Rows by table, `SCHEMA.TABLE`; partitions among which a restore may spread them otherwise are one. */
export function tableCounts({ tables }: Pick<DatabaseContents, "tables">): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const table of tables) counts.set(placeOf(table), (counts.get(placeOf(table)) ?? 0) + table.rows)
  return counts
}

function placeOf({ schema, name, spread }: TableCount): string {
  return spread ?? `${schema}.${name}`
}

function databaseCounts(databases: readonly DatabaseContents[]): ReadonlyMap<string, number> {
  return new Map(
    databases.flatMap((database) => [
      ...[...tableCounts(database)].map(([table, rows]) => [`${database.name}.${table} rows`, rows] as const),
      [`${database.name} large objects`, database.largeObjects] as const,
    ]),
  )
}

/** They are sums, so that those of partitions add up; without one of any of them there is none. */
function databaseChecksums(databases: readonly DatabaseContents[]): ReadonlyMap<string, string> {
  const all = new Map<string, bigint | undefined>()
  for (const { name, tables, largeObjectsChecksum } of databases) {
    for (const { checksum, ...table } of tables) {
      const what = `${name}.${placeOf(table)}`
      const before = all.has(what) ? all.get(what) : 0n
      all.set(what, before === undefined || checksum === undefined ? undefined : before + BigInt(checksum))
    }
    all.set(`${name} large objects`, largeObjectsChecksum === undefined ? undefined : BigInt(largeObjectsChecksum))
  }
  return new Map([...all].flatMap(([what, sum]) => (sum === undefined ? [] : [[what, String(sum)] as const])))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
