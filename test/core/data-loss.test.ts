import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { dataLosses, suspiciousLosses, tableLosses } from "../../src/core/data-loss.ts"
import type { Manifest, ServiceBackup } from "../../src/core/manifest.ts"
import { keysOf, manifestOf, postgresOf } from "../support/manifests.ts"

describe("what a backup lost", () => {
  test("rows are told per database, a vanished one whole", () => {
    const before = [backup("b1", postgres("db", { app: 100 }), postgres("other", { logs: 4, mail: 2 }))]
    assert.deepEqual(dataLosses(before, [postgres("db", { app: 25 }), postgres("other", { mail: 2 })]), [
      { unit: "rows", place: "db/app", before: 100, after: 25, share: 0.75, since: "b1" },
      { unit: "rows", place: "other/logs", before: 4, after: 0, share: 1, since: "b1" },
    ])
    assert.deepEqual(dataLosses(before, before[0]?.services ?? []), [])
    assert.deepEqual(dataLosses([], [postgres("db", { app: 1 })]), [])
  })

  test("a table that was emptied is not lost in the sum of its database", () => {
    const before = [backup("b1", postgresOf("db", { app: { users: 10, log: 990 } }))]
    const after = [postgresOf("db", { app: { users: 0, log: 1000 } })]
    assert.deepEqual(dataLosses(before, after), [])
    assert.deepEqual(tableLosses(before, after), [
      { unit: "rows", place: "db/app: public.users", before: 10, after: 0, share: 1, since: "b1" },
    ])
    assert.deepEqual(tableLosses([backup("b1", keys("cache", { keys: 9 }))], [keys("cache")]), [])
  })

  test("a service that this backup was not asked for lost nothing", () => {
    const full = [backup("full", postgres("db", { app: 100 }), keys("cache", { keys: 9 }))]
    assert.deepEqual(dataLosses(full, [keys("cache", { keys: 9 })]), [])
  })

  test("each service is compared with the newest backup that holds it, whatever came after that", () => {
    const earlier = [
      backup("b3", keys("cache", { keys: 8 })),
      backup("b2", postgres("db", { app: 100 }), keys("cache", { keys: 9 })),
      backup("b1", postgres("db", { app: 900 })),
    ]
    assert.deepEqual(dataLosses(earlier, [postgres("db", { app: 0 }), keys("cache", { keys: 2 })]), [
      { unit: "rows", place: "db/app", before: 100, after: 0, share: 1, since: "b2" },
      { unit: "keys", place: "cache", before: 8, after: 2, share: 0.75, since: "b3" },
    ])
  })

  test("a key store that came up empty lost all; keys with an expiry go by themselves", () => {
    const before = [backup("b1", keys("cache", { keys: 50, expires: 10 }, { keys: 7, expires: 7 }))]
    assert.deepEqual(dataLosses(before, [keys("cache")]), [
      { unit: "keys", place: "cache", before: 40, after: 0, share: 1, since: "b1" },
    ])
    assert.deepEqual(dataLosses(before, [keys("cache", { keys: 40 })]), [])
    const sessions = [backup("b1", keys("cache", { keys: 7, expires: 7 }))]
    assert.deepEqual(dataLosses(sessions, [keys("cache")]), [])
  })
})

test("most rows, or all keys, make a backup suspect; a queue that drains does not", () => {
  const before = [backup("b1", postgres("db", { app: 100 }), keys("cache", { keys: 40 }))]
  const suspicious = (rows: number, left: number, limit: number) =>
    suspiciousLosses(dataLosses(before, [postgres("db", { app: rows }), keys("cache", { keys: left })]), limit).map(
      ({ unit }) => unit,
    )
  assert.deepEqual(suspicious(50, 1, 0.5), [])
  assert.deepEqual(suspicious(49, 0, 0.5), ["rows", "keys"])
  assert.deepEqual(suspicious(99, 39, 0), ["rows"])
  assert.deepEqual(suspicious(0, 0, 1), [])
})

function backup(id: string, ...services: readonly ServiceBackup[]): Manifest {
  return manifestOf(id, { services: [...services] })
}

function postgres(service: string, rows: Readonly<Record<string, number>>): ServiceBackup {
  return postgresOf(service, Object.fromEntries(Object.entries(rows).map(([name, users]) => [name, { users }])))
}

function keys(service: string, ...counts: Parameters<typeof keysOf>[1] & {}): ServiceBackup {
  return keysOf(service, counts)
}
