import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { isDatedAhead, latestBackup } from "../../src/core/latest-backup.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { keysOf, manifestOf } from "../support/manifests.ts"

const all = ["cache", "db"]

describe("the latest backup", () => {
  test("is the newest that holds all services, and the newer ones that do not are named", () => {
    const backups = [backup(1, all), backup(3, ["db"]), backup(2, all), backup(4, ["cache"]), backup(3, ["db"])]
    const { id, partial, unheld } = latestBackup(backups, all)
    assert.equal(id, "backup-20260102-000000")
    assert.deepEqual(
      partial.map((one) => one.id),
      ["backup-20260104-000000", "backup-20260103-000000"],
    )
    assert.deepEqual(unheld, [])
    assert.equal(latestBackup(backups, ["db"]).id, "backup-20260103-000000")
    assert.equal(latestBackup(backups, undefined).id, "backup-20260104-000000")
  })

  test("is newest by what the manifest says, not by its name; of two at one moment by its name, whatever the order", () => {
    const early = { ...backup(9, all), created: "2026-01-01T00:00:00Z" }
    assert.equal(latestBackup([early, backup(2, all)], all).id, "backup-20260102-000000")
    const twin = { ...backup(3, all), created: backup(2, all).created }
    for (const order of [
      [twin, backup(2, all)],
      [backup(2, all), twin],
    ])
      assert.equal(latestBackup(order, all).id, twin.id)
  })

  test("is none when the services lie in different backups, and these are named", () => {
    const { id, partial } = latestBackup([backup(1, ["db"]), backup(2, ["cache"])], all)
    assert.equal(id, undefined)
    assert.equal(partial.length, 2)
  })

  test("need not hold what no backup holds, but something that was asked for", () => {
    assert.deepEqual(latestBackup([backup(1, ["db"])], all), {
      id: "backup-20260101-000000",
      partial: [],
      unheld: ["cache"],
    })
    assert.deepEqual(latestBackup([backup(1, ["db"])], ["cache"]), { id: undefined, partial: [], unheld: ["cache"] })
    assert.deepEqual(latestBackup([], all), { id: undefined, partial: [], unheld: all })
  })

  test("holds every service that any backup holds, and no newer one does, whatever the order", () => {
    const backupsOf = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 28 }), fc.subarray(["cache", "db", "queue"], { minLength: 1 })),
    )
    fc.assert(
      fc.property(backupsOf, fc.subarray(["cache", "db", "queue"], { minLength: 1 }), (list, wanted) => {
        const days = new Map(list)
        const backups = [...days].map(([day, services]) => backup(day, services))
        const { id, partial, unheld } = latestBackup(backups, wanted)
        assert.deepEqual(latestBackup(backups.toReversed(), wanted), { id, partial, unheld })
        const must = wanted.filter((service) => list.length > 0 && !unheld.includes(service))
        const full = backups.filter(({ services }) =>
          must.every((name) => services.some(({ service }) => service === name)),
        )
        const newest = full.map((one) => one.id).sort()
        assert.equal(id, must.length > 0 ? newest.at(-1) : undefined)
      }),
    )
  })
})

test("a backup is dated ahead when two clocks that differ a little cannot explain it", () => {
  const one = backup(2, all)
  assert.equal(isDatedAhead(one, new Date("2026-01-01T23:55:00Z")), false)
  assert.equal(isDatedAhead(one, new Date("2026-01-01T23:54:59Z")), true)
  assert.equal(isDatedAhead(one, new Date("2026-03-01T00:00:00Z")), false)
})

function backup(day: number, services: readonly string[]): Manifest {
  const id = `backup-202601${String(day).padStart(2, "0")}-000000`
  return manifestOf(id, { services: services.map((service) => keysOf(service)) })
}
