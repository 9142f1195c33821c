import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { drillFile, drillId, lastDrill, printDrillRecord, readDrillRecords } from "../../src/core/drill-record.ts"
import { recordOf } from "../support/manifests.ts"

const [first, second] = [
  recordOf("backup-20260101-020000", "drill-20260104-040000"),
  recordOf("backup-20260102-020000", "drill-20260105-040000"),
]
const owner = { project: "shop", environment: "test" }
const texts = (...records: readonly (typeof first)[]) =>
  records.map((one) => ({ name: `${one.id}.json`, text: printDrillRecord(one) }))

describe("records of drills", () => {
  test("are named by their time in UTC, and by whose they are", () => {
    assert.equal(drillId(new Date("2026-03-29T23:59:08.900Z")), "drill-20260329-235908")
    const id = "drill-20260329-235908"
    assert.equal(drillFile({ ...owner, id }), `metadata/${id}-shop.test.json`)
    assert.equal(drillFile({ id, project: "../a b", environment: "c" }), `metadata/${id}-..%2Fa%20b.c.json`)
  })

  test("are read back as they were written, newest first, those of this project and environment only", () => {
    const others = [
      { ...first, project: "other" },
      { ...first, environment: "production" },
    ]
    const { records, unreadable } = readDrillRecords(texts(first, ...others, second), owner)
    assert.deepEqual([records, unreadable], [[second, first], []])
  })

  test("that cannot be read are named with why, and hide no other", () => {
    const text = printDrillRecord(first)
    const bad = [
      { name: "cut", text: text.slice(0, -3) },
      { name: "empty", text: "" },
      { name: "newer", text: text.replace('"format": 1', '"format": 2') },
    ]
    const { records, unreadable } = readDrillRecords([...bad, ...texts(second)], owner)
    assert.deepEqual(records, [second])
    assert.equal(unreadable.length, 3)
    assert.match(unreadable[2] ?? "", /^newer: format: ./)
  })

  test("tell of a copy what its newest drill showed", () => {
    const again = { ...recordOf(first.backup, "drill-20260106-040000"), source: "s3" as const }
    const newest = recordOf(first.backup, "drill-20260107-040000")
    const records = [newest, again, second, first]
    assert.equal(lastDrill(records, { backup: first.backup, source: "local" }), newest)
    assert.equal(lastDrill(records, { backup: first.backup, source: "s3" }), again)
    assert.equal(lastDrill(records, { backup: second.backup, source: "s3" }), undefined)
  })
})
