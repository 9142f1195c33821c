import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { artifactFile, backupId, backupStamp, backupTime, fileNamePart } from "../../src/core/backup-id.ts"

const time = new Date("2026-01-31T02:03:04.567Z")

test("an id and a stamp are the time in UTC", () => {
  assert.equal(backupId(time), "backup-20260131-020304")
  assert.equal(backupStamp(time), "2026-01-31-020304")
})

test("an id gives its time back, and nothing else does", () => {
  const inYears = fc.date({ min: new Date("2000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  fc.assert(
    fc.property(inYears, (date) => {
      assert.equal(backupTime(backupId(date))?.getTime(), Math.floor(date.getTime() / 1000) * 1000)
    }),
  )
  for (const id of ["", "latest", "backup-20260231-000000", "backup-20260131-250000", "backup-20260131-020304.json"]) {
    assert.equal(backupTime(id), undefined, id)
  }
})

test("files are named after service, time and database", () => {
  const name = { service: "postgres", stamp: backupStamp(time), extension: ".dump" }
  assert.equal(artifactFile("postgres", { ...name, part: "app" }), "postgres/postgres-2026-01-31-020304-app.dump")
  assert.equal(
    artifactFile("dragonfly", { ...name, service: "cache", extension: ".rdb" }),
    "dragonfly/cache-2026-01-31-020304.rdb",
  )
})

test("any text becomes a part of a file name, distinct texts distinct ones, and plain names stay", () => {
  assert.equal(fileNamePart("app_db-1.2"), "app_db-1.2")
  assert.equal(fileNamePart('a/b "ü"\n'), "a%2Fb%20%22%C3%BC%22%0A")
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const part = fileNamePart(text)
      assert.match(part, /^[A-Za-z0-9_.%-]*$/)
      assert.equal(decodeURIComponent(part), text.toWellFormed())
    }),
  )
})
