import assert from "node:assert/strict"
import { test } from "node:test"
import { closest } from "../../src/core/closest.ts"
import { duration, formatDuration, parseDuration } from "../../src/core/duration.ts"
import { compareFingerprints } from "../../src/core/fingerprint.ts"
import { layout } from "../../src/core/layout.ts"
import { parseConfig } from "../../src/core/parse-config.ts"

test("durations are read to milliseconds, and nothing else is one", () => {
  const good = { "90s": 90_000, "10m": 600_000, "1h30m": 5_400_000, "500ms": 500, "2d": 172_800_000, "0s": 0 }
  for (const [text, milliseconds] of Object.entries(good)) assert.equal(parseDuration(text), milliseconds, text)
  for (const text of ["", "10", "m", "1.5h", "10 m", "-1s", "1h30", "10M"])
    assert.equal(parseDuration(text), undefined, text)
  assert.equal(duration.parse(250), 250)
  assert.equal(duration.safeParse("soon").success, false)
  assert.equal(duration.safeParse(-1).success, false)
})

test("durations are shown by their two largest units", () => {
  const shown = { 450: "450ms", 12300: "12.3s", 61000: "1m 1s", 3599999: "59m 59s", 5400000: "1h 30m" }
  for (const [milliseconds, text] of Object.entries(shown)) assert.equal(formatDuration(Number(milliseconds)), text)
})

test("the closest word is suggested when it is near, across spellings, and none when all are far", () => {
  assert.equal(closest("adress", ["address", "user", "port"]), "address")
  assert.equal(closest("forcePathStyle", ["force-path-style", "prefix"]), "force-path-style")
  assert.equal(closest("env_file", ["env-file"]), "env-file")
  assert.equal(closest("bananas", ["host", "compose"]), undefined)
  assert.equal(closest("x", []), undefined)
})

test("fingerprints differ by what is missing, another, or less; more is no difference", () => {
  const print = (id: string, rows: number) => ({ service: "db", same: { id }, atLeast: { rows } })
  const before = [print("1", 5)]
  assert.deepEqual(compareFingerprints(before, before), [])
  assert.deepEqual(compareFingerprints(before, [print("1", 6)]), [])
  assert.deepEqual(compareFingerprints(before, [print("2", 4)]), [
    { service: "db", fact: "id", before: "1", after: "2" },
    { service: "db", fact: "rows", before: "5", after: "4" },
  ])
  assert.deepEqual(
    compareFingerprints(before, []).map((one) => one.after),
    ["(none)", "(none)"],
  )
})

test("what runs out by itself is missing only where nothing of it is there before its time is over", () => {
  const print = (at?: number, lasting?: Record<string, number>) => {
    return { service: "cache", same: {}, atLeast: {}, ...(at && { at }), ...(lasting && { lasting }) }
  }
  const before = [print(1000, { "db0.expiring-keys": 5000 })]
  assert.deepEqual(compareFingerprints(before, [print(4999)]), [
    { service: "cache", fact: "db0.expiring-keys", before: "some until 1970-01-01T01:23:20Z", after: "(none)" },
  ])
  assert.equal(compareFingerprints(before, [print(4999, { "db1.expiring-keys": 4999 })]).length, 1)
  for (const now of [print(4999, { "db0.expiring-keys": 4999 }), print(5000), print()])
    assert.deepEqual(compareFingerprints(before, [now]), [])
})

test("two environments on one host share nothing but the base directory and the backups", () => {
  const config = parseConfig("project: app\nhost: {address: a}\n", { file: "infra.yml" })
  const production = layout(config)
  const dev = layout({ ...config, environment: "dev" })
  assert.equal(production.base, "/opt/app")
  assert.equal(production.backups, "/opt/app/backups")
  const shared = Object.keys(production).filter((key) => production[key as "base"] === dev[key as "base"])
  assert.deepEqual(shared, ["base", "backups"])
  const moved = layout({
    ...config,
    host: { ...config.host, directory: "/srv/x" },
    backup: { ...config.backup, directory: "/mnt/b" },
  })
  assert.deepEqual([moved.base, moved.backups, moved.lock], ["/srv/x", "/mnt/b", "/srv/x/state/production/lock"])
})
