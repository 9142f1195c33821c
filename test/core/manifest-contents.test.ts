import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { DatabaseContents } from "../../src/core/manifest.ts"
import {
  compareDatabases,
  describeDifference,
  differentContent,
  isProven,
  totals,
} from "../../src/core/manifest-contents.ts"
import { printManifest, readManifest } from "../../src/storage/manifest-file.ts"
import { keysOf, manifestOf, postgresOf, recordOf } from "../support/manifests.ts"

describe("comparing counts", () => {
  test("finds nothing between equals, whatever their order", () => {
    const one = database({ users: 3, visits: 5 })
    assert.deepEqual(compareDatabases([one], [{ ...one, tables: [...one.tables].reverse(), size: 1 }]), [])
  })

  test("finds every difference of one row, table, large object or database", () => {
    const expected = [database({ users: 3, visits: 5 })]
    assert.deepEqual(lines(expected, [database({ users: 2, visits: 5 })]), ["app.public.users rows: 2 instead of 3"])
    assert.deepEqual(lines(expected, [database({ users: 3 })]), ["app.public.visits rows: not there, expected 5"])
    assert.deepEqual(lines(expected, [database({ users: 3, visits: 5, extra: 0 })]), [
      "app.public.extra rows: 0, not expected at all",
    ])
    assert.deepEqual(lines(expected, [{ ...database({ users: 3, visits: 5 }), largeObjects: 1 }]), [
      "app large objects: 1 instead of 0",
    ])
    assert.equal(lines(expected, []).length, 3)
  })

  test("tells an empty table from one that is not there", () => {
    assert.equal(lines([database({ users: 0 })], [database({})]).length, 1)
  })
})

describe("comparing content", () => {
  const summed = (checksum: string | undefined, objects?: string): DatabaseContents => {
    const one = database({ users: 3 })
    const tables = one.tables.map((table) => (checksum === undefined ? table : { ...table, checksum }))
    return { ...one, tables, ...(objects !== undefined && { largeObjectsChecksum: objects }) }
  }

  test("names a table, or large objects, whose checksum is another, though their counts are equal", () => {
    assert.deepEqual(differentContent([summed("17", "4")], [summed("17", "4")]), [])
    assert.deepEqual(differentContent([summed("17", "4")], [summed("-17", "4")]), ["app.public.users"])
    assert.deepEqual(differentContent([summed("17", "4")], [summed("17", "5")]), ["app large objects"])
  })

  test("says nothing of what only one side has a checksum of", () => {
    assert.deepEqual(differentContent([summed("17")], [summed(undefined)]), [])
    assert.deepEqual(differentContent([summed(undefined)], [summed("17")]), [])
  })
})

describe("a manifest", () => {
  test("is read back as it was written", () => {
    assert.deepEqual(readManifest(printManifest(manifest)), { manifest })
  })

  test("that is cut, of another form, or of an empty file is no manifest", () => {
    const text = JSON.stringify(manifest)
    const broken = [
      "",
      text.slice(0, -1),
      text.replace('"format":1', '"format":2'),
      text.replace('"bytes":10', '"bytes":0'),
      text.replace('"id":"backup-', '"id":"../backup-'),
    ]
    for (const one of broken) {
      assert.notEqual(one, text)
      assert("problem" in readManifest(one))
    }
  })

  test("proves a copy in S3 only with every file and a named tier", () => {
    assert.equal(isProven(manifest, "local"), true)
    assert.equal(isProven(manifest, "s3"), false)
    const object = { file: "postgres/app.dump", key: "k", etag: "e", partBytes: 1 }
    const keys = { ...object, file: "dragonfly/cache.rdb" }
    const stored = { local: "success", s3: "success", tier: "etag", objects: [object, keys] } as const
    assert.equal(isProven({ ...manifest, storage: { ...stored, objects: [...stored.objects] } }, "s3"), true)
    assert.equal(isProven({ ...manifest, storage: { ...stored, objects: [object] } }, "s3"), false)
    assert.equal(
      isProven({ ...manifest, storage: { local: "success", s3: "success", objects: [object, keys] } }, "s3"),
      false,
    )
    assert.equal(isProven({ ...manifest, storage: { ...stored, s3: "failed", objects: [object, keys] } }, "s3"), false)
  })

  test("is no proof of a copy whose last drill failed, in that store alone", () => {
    const failed = { ...recordOf(manifest.id, "drill-20260201-040000"), result: "failed" as const }
    const later = recordOf(manifest.id, "drill-20260202-040000")
    assert.equal(isProven(manifest, "local", [failed]), false)
    assert.equal(isProven(manifest, "local", [later, failed]), true)
    assert.equal(isProven(manifest, "local", [{ ...failed, source: "s3" }]), true)
    assert.equal(isProven(manifest, "local", [{ ...failed, backup: "backup-20260130-020000" }]), true)
  })

  test("sums up", () => {
    assert.deepEqual(totals(manifest.services), { bytes: 17, tables: 2, rows: 8, keys: 42 })
  })
})

function lines(expected: readonly DatabaseContents[], actual: readonly DatabaseContents[]): readonly string[] {
  return compareDatabases(expected, actual).map(describeDifference)
}

function database(rows: Readonly<Record<string, number>>): DatabaseContents {
  const { contents } = postgresOf("db", { app: rows })
  assert(contents.kind === "postgres" && contents.databases[0])
  return contents.databases[0]
}

const dump = { file: "postgres/app.dump", role: "database", name: "app", bytes: 10, sha256: "0".repeat(64) } as const
const rdb = { file: "dragonfly/cache.rdb", role: "keys", name: "cache", bytes: 7, sha256: "1".repeat(64) } as const
const manifest = manifestOf("backup-20260131-020000", {
  services: [
    postgresOf("db", { app: { users: 3, visits: 5 } }, [dump]),
    keysOf("cache", [{ keys: 40, expires: 1 }, { keys: 2 }], [rdb]),
  ],
})
