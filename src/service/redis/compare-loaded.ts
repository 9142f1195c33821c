import { type Keyspace, persistentKeys, type ServerAnswer, totalKeys } from "./server-answer.ts"

/**
 * How what a server has loaded differs from what the snapshot held, one line each; empty means: the same. Keys without
 * an expiry must be equal to the last; those with one may be fewer, since they go on running out. Redis and Valkey also
 * say how many keys they read and how many of them had run out: together they are the snapshot's, and more keys by now
 * only mean that somebody writes again.
 */
export function compareLoaded(snapshot: Keyspace, { keyspace, fields }: ServerAnswer): readonly string[] {
  const loaded = Number(fields.rdb_last_load_keys_loaded)
  const expired = Number(fields.rdb_last_load_keys_expired)
  const isToldExactly = Number.isFinite(loaded) && Number.isFinite(expired)
  const expected = persistentKeys(snapshot)
  const found = persistentKeys(keyspace)
  const different = [...new Set([...expected.keys(), ...found.keys()])].flatMap((database) => {
    const [was, is] = [expected.get(database) ?? 0, found.get(database) ?? 0]
    return was === is || (isToldExactly && is > was)
      ? []
      : [`db${database} has ${is} keys without expiry instead of ${was}`]
  })
  if (isToldExactly && loaded + expired !== totalKeys(snapshot)) {
    different.push(`${loaded} keys were loaded and ${expired} had run out, the snapshot held ${totalKeys(snapshot)}`)
  }
  return different
}
