import assert from "node:assert/strict"
import { test } from "node:test"
import { backupInventory, sameBytes } from "../../src/core/backup-inventory.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { keysOf, manifestOf, recordOf } from "../support/manifests.ts"

const now = new Date("2026-11-21T04:00:00Z")

function manifest(id: string, sha256 = "a".repeat(64)): Manifest {
  const artifact = { file: `dragonfly/${id}.rdb`, role: "keys", name: id, bytes: 3, sha256 } as const
  const objects = [{ file: artifact.file, key: artifact.file, etag: "", partBytes: 1 }]
  return manifestOf(id, {
    services: [keysOf("cache", [], [artifact])],
    storage: { local: "success", s3: "success", tier: "etag", objects },
  })
}

const [a, b, c] = ["backup-20261119-030000", "backup-20261120-030000", "backup-20261121-030000"].map((id) =>
  manifest(id),
)
assert(a && b && c)
const keepAll = (manifests: readonly Manifest[]) =>
  manifests.map(({ id }) => ({ id, keep: true, reasons: ["daily"] }) as const)

test("a backup is listed once, newest first, with each store's copy and how they agree", () => {
  const other = manifest(b.id, "b".repeat(64))
  const entries = backupInventory(
    [
      { store: "local", manifests: [c, b], decisions: keepAll([c, b]) },
      { store: "s3", manifests: [a, other], decisions: keepAll([other]) },
    ],
    { now, configured: ["local", "s3"] },
  )
  assert.deepEqual(
    entries.map(({ id, sync }) => [id, sync]),
    [
      [c.id, "local-only"],
      [b.id, "differs"],
      [a.id, "s3-only"],
    ],
  )
  assert.equal(entries[0]?.age, 3_600_000)
  assert.deepEqual(entries[0]?.copies, [{ store: "local", proven: "sha256", keep: true, reasons: ["daily"] }])
  assert.equal(entries[2]?.copies[0]?.proven, "etag")
})

test("each copy has the decision of its own store, and the lock that S3 has put on it", () => {
  const lockedUntil = "2026-12-21T03:00:00Z"
  const locked: Manifest = { ...b, storage: { ...b.storage, lockedUntil } }
  const decided = (id: string, keep: boolean) =>
    keep ? ({ id, keep, reasons: ["locked"] } as const) : ({ id, keep, reasons: ["outside-policy"] } as const)
  const entries = backupInventory(
    [
      { store: "local", manifests: [locked, a], decisions: [decided(b.id, false), decided(a.id, true)] },
      { store: "s3", manifests: [locked], decisions: [decided(b.id, true)] },
    ],
    { now, configured: ["local", "s3"] },
  )
  const told = entries.map(({ id, copies }) => [
    id,
    copies.map(({ store, keep, reasons, lockedUntil: until }) => [store, keep, reasons[0], until]),
  ])
  assert.deepEqual(told, [
    [
      b.id,
      [
        ["local", false, "outside-policy", undefined],
        ["s3", true, "locked", lockedUntil],
      ],
    ],
    [a.id, [["local", true, "locked", undefined]]],
  ])
})

test("the newest is the one that was made last, whatever its name, and of two at one moment the one with the later name", () => {
  const moved = { ...a, created: "2026-11-21T03:30:00Z" }
  const twin = { ...b, created: c.created }
  const listed = (manifests: readonly Manifest[]) =>
    backupInventory([{ store: "local", manifests, decisions: [] }], { now, configured: ["local"] }).map(({ id }) => id)
  assert.deepEqual(listed([twin, c, moved]), [a.id, c.id, b.id])
  assert.deepEqual(listed([c, moved, twin]), [a.id, c.id, b.id])
})

test("a store that could not be listed makes the other's backups unknown, never missing", () => {
  const local = { store: "local", manifests: [c], decisions: keepAll([c]) } as const
  const syncs = (configured: readonly ("local" | "s3")[]) =>
    backupInventory([local], { now, configured }).map(({ sync }) => sync)
  assert.deepEqual(syncs(["local", "s3"]), ["unknown"])
  assert.deepEqual(syncs(["local"]), ["single"])
  const s3 = { store: "s3", manifests: [c], decisions: [] } as const
  const [held] = backupInventory([s3], { now, configured: ["local", "s3"] })
  assert.equal(held?.sync, "unknown")
  const none = { store: "s3", manifests: [], decisions: [] } as const
  const [alone] = backupInventory([local, none], { now, configured: ["local", "s3"] })
  assert.equal(alone?.sync, "local-only")
})

test("where a store does not hold what its manifest says the backup is damaged, whatever the manifests agree on", () => {
  const local = { store: "local", manifests: [c, b], decisions: [] } as const
  const problems = new Map([
    [c.id, ["gone"]],
    [b.id, []],
  ])
  const s3 = { ...local, store: "s3", problems } as const
  const syncs = (stores: Parameters<typeof backupInventory>[0]) =>
    backupInventory(stores, { now, configured: stores.map(({ store }) => store) }).map(({ sync }) => sync)
  assert.deepEqual(syncs([local, s3]), ["damaged", "in-sync"])
  assert.deepEqual(syncs([s3, local]), ["damaged", "in-sync"])
  assert.deepEqual(syncs([s3]), ["damaged", "single"])
})

test("an upload that was not proven is not called proven, and what was found damaged is told", () => {
  const failed: Manifest = { ...c, storage: { local: "success", s3: "failed", objects: [] } }
  const problems = new Map([[c.id, ["gone"]]])
  const [entry] = backupInventory([{ store: "s3", manifests: [failed], decisions: [], problems }], {
    now,
    configured: ["s3"],
  })
  assert.deepEqual(entry?.copies, [{ store: "s3", proven: "unproven", keep: true, reasons: [], problems: ["gone"] }])
})

test("a copy's last drill says what it is worth: restored, or unproven with the reason; the other store's is its own", () => {
  const good = { ...recordOf(c.id, "drill-20261121-033000"), source: "s3" } as const
  const { proven: _none, ...record } = recordOf(c.id, "drill-20261121-032000")
  const bad = { ...record, result: "failed", reason: "cut", rtoSeconds: null } as const
  const older = { ...good, id: "drill-20261121-031000", rtoSeconds: 9, started: "2026-11-21T03:10:00Z" }
  const entries = backupInventory(
    [
      { store: "local", manifests: [c], decisions: [] },
      { store: "s3", manifests: [c, b], decisions: [] },
    ],
    { now, configured: ["local", "s3"], drills: [good, bad, older] },
  )
  const [local, s3] = entries[0]?.copies ?? []
  assert.equal(local?.proven, "unproven")
  assert.deepEqual([local?.drill?.result, local?.drill?.reason, local?.drill?.rtoSeconds], ["failed", "cut", null])
  assert.deepEqual(
    [s3?.proven, s3?.drill],
    ["restored", { at: good.started, result: "success", reason: "", rtoSeconds: 3.5, rpoSeconds: 60 }],
  )
  assert.deepEqual([entries[1]?.copies[0]?.proven, entries[1]?.copies[0]?.drill], ["etag", undefined])
})

test("bytes are the same when file, length and SHA-256 are, in any order", () => {
  assert(sameBytes(c, { ...c, services: [...c.services].reverse() }))
  assert(!sameBytes(c, manifest(c.id, "c".repeat(64))))
})
