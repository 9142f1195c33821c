import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { comingToHold } from "../../src/core/latest-backup.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { decideRetention, decideRetentionBefore } from "../../src/core/retention.ts"
import { retentionItems } from "../../src/job/apply-retention.ts"
import { keysOf, manifestOf, postgresOf } from "../support/manifests.ts"

const policy = { last: 0, daily: 7, weekly: 4, monthly: 12 }
const now = new Date("2026-06-30T12:00:00Z")

/** A backup made so many days ago, with these databases; none of Postgres when there is no list. */
function madeBefore(days: number, databases: readonly string[] | undefined): Manifest {
  const created = new Date(Date.UTC(2026, 5, 30 - days, 2, 0, days % 60)).toISOString()
  const id = `backup-${created.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`
  const tables = Object.fromEntries((databases ?? []).map((name) => [name, { t: 1 }]))
  return manifestOf(id, { services: [keysOf("cache"), ...(databases ? [postgresOf("postgres", tables)] : [])] })
}

const seen = { drills: [], lacking: new Map() }

function keptOf(manifests: readonly Manifest[], counts = policy): readonly Manifest[] {
  const items = retentionItems("local", manifests, seen)
  const kept = new Set(decideRetention(items, { policy: counts, now }).flatMap(({ id, keep }) => (keep ? [id] : [])))
  return manifests.filter(({ id }) => kept.has(id))
}

function hasDatabase({ services }: Manifest, name: string): boolean {
  return services.some(
    ({ contents }) => contents.kind === "postgres" && contents.databases.some((one) => one.name === name),
  )
}

test("a database that backups have ceased to hold keeps the history that it has", () => {
  const manifests = Array.from({ length: 60 }, (_, days) => madeBefore(days, days < 40 ? ["app"] : ["app", "billing"]))
  const held = keptOf(manifests).filter((one) => hasDatabase(one, "billing"))
  assert.equal(held[0], manifests[40])
  assert.ok(held.length >= 7, String(held.length))
  assert.equal(keptOf(manifests, { last: 1, daily: 0, weekly: 0, monthly: 0 }).length, 2)
})

test("the newest backup of each database stays, and of a server without any", () => {
  const databases = fc.option(fc.subarray(["app", "billing", "shop"]), { nil: undefined })
  const lists = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 400 }), databases), {
    selector: ([days]) => days,
    maxLength: 40,
  })
  const counts = fc.record({
    last: fc.integer({ min: 0, max: 2 }),
    daily: fc.integer({ min: 0, max: 3 }),
    weekly: fc.integer({ min: 0, max: 2 }),
    monthly: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(lists, counts, (some, chosen) => {
      const manifests = some.toSorted(([a], [b]) => a - b).map(([days, names]) => madeBefore(days, names))
      const kept = keptOf(manifests, chosen)
      for (const name of ["app", "billing", "shop"]) {
        const newest = manifests.find((one) => hasDatabase(one, name))
        assert.ok(!newest || kept.includes(newest), name)
      }
      const server = manifests.find(({ services }) => services.length === 2)
      assert.ok(!server || kept.includes(server))
    }),
  )
})

test("what goes before a backup is made is what it will push out: a database that it will not hold stays", () => {
  const manifests = [madeBefore(1, ["app"]), madeBefore(2, ["app", "billing"]), madeBefore(3, ["app", "billing"])]
  const removed = (configured?: readonly string[]) => {
    const coming = comingToHold(["cache", "postgres"], manifests, (name) => (name === "cache" ? undefined : configured))
    const options = { policy: { last: 2, daily: 0, weekly: 0, monthly: 0 }, now }
    const decisions = decideRetentionBefore(retentionItems("local", manifests, seen), coming, options)
    return decisions.flatMap(({ id, keep }) => (keep ? [] : [manifests.findIndex((one) => one.id === id)]))
  }
  assert.deepEqual(removed(["app", "billing"]), [2])
  assert.deepEqual([removed(["app"]), removed()], [[], []])
  assert.deepEqual(
    comingToHold(["postgres"], [], () => undefined),
    ["postgres"],
  )
})

test("what has lost a file takes no other's place", () => {
  const manifests = [1, 2, 3, 4].map((days) => madeBefore(days, ["app"]))
  const lacking = new Map(manifests.slice(0, 2).map(({ id }) => [id, ["a file is gone"]]))
  const options = { policy: { last: 2, daily: 0, weekly: 0, monthly: 0 }, now }
  const removedOf = (lost: typeof lacking) =>
    decideRetention(retentionItems("local", manifests, { drills: [], lacking: lost }), options).flatMap(
      ({ id, keep }) => (keep ? [] : [id]),
    )
  assert.deepEqual(
    removedOf(new Map()),
    manifests.slice(2).map(({ id }) => id),
  )
  assert.deepEqual(removedOf(lacking), [])
})
