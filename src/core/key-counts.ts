import type { KeysContents } from "./manifest.ts"

/** Databases that hold keys. */
export type Keyspace = KeysContents["keyspace"]

/** Keys in all databases. */
export function totalKeys(keyspace: Keyspace): number {
  return keyspace.reduce((sum, one) => sum + one.keys, 0)
}

/** Keys without an expiry by database: the only count that time alone does not change. */
export function persistentKeys(keyspace: Keyspace): ReadonlyMap<number, number> {
  return new Map(
    keyspace.filter((one) => one.keys > one.expires).map((one) => [one.database, one.keys - one.expires] as const),
  )
}

/** Keys in the files of a backup, as exactly as it is known. */
export function keysIn({ keyspace, written }: Pick<KeysContents, "keyspace" | "written">): number {
  return written ?? totalKeys(keyspace)
}

/** What a server said around a snapshot of its own, for one that does not say how many keys each database had at that moment. */
export interface CountsAround {
  readonly before: Keyspace
  readonly after: Keyspace
  /** Keys that it counted while it wrote; undefined when it does not tell. */
  readonly written: number | undefined
  /** Whether nothing was written, ran out or was evicted from the first look to the last. */
  readonly quiet: boolean
}

/** What a manifest can say of it. Equal counts alone prove nothing: what came and went in between may be in the snapshot. */
export function countsOf({
  before,
  after,
  written,
  quiet,
}: CountsAround): Pick<KeysContents, "keyspace" | "written" | "earlier"> {
  const sure = quiet && isSame(before, after) && (written === undefined || written === totalKeys(after))
  return {
    keyspace: [...after],
    ...(written === undefined ? {} : { written }),
    ...(sure ? {} : { earlier: [...before] }),
  }
}

/** How many keys without an expiry a database had at the moment of the snapshot. */
export interface KeyRange {
  readonly least: number
  readonly most: number
}

/**
 * By database. One number where the counts are those of the snapshot; else what lies between the counts before and after
 * it, and as much more on both sides as they are off from what was written.
 */
export function keyRanges({ keyspace, earlier, written }: KeysContents): ReadonlyMap<number, KeyRange> {
  const after = persistentKeys(keyspace)
  const before = earlier === undefined ? after : persistentKeys(earlier)
  const off = earlier === undefined ? 0 : Math.abs((written ?? totalKeys(keyspace)) - totalKeys(keyspace))
  return new Map(
    [...new Set([...before.keys(), ...after.keys()])].map((database) => {
      const seen = [before.get(database) ?? 0, after.get(database) ?? 0]
      return [database, { least: Math.max(0, Math.min(...seen) - off), most: Math.max(...seen) + off }] as const
    }),
  )
}

function isSame(one: Keyspace, other: Keyspace): boolean {
  const text = (keyspace: Keyspace) =>
    keyspace
      .filter(({ keys }) => keys > 0)
      .map(({ database, keys, expires }) => `${database}:${keys}:${expires}`)
      .toSorted()
      .join()
  return text(one) === text(other)
}
