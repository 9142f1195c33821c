import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { backupId } from "../../src/core/backup-id.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { type AgeOptions, judgeAge } from "../../src/job/backup-age.ts"
import { keysOf, manifestOf, recordOf } from "../support/manifests.ts"

const hour = 3_600_000
const now = Date.parse("2026-03-29T12:00:00Z")

function backup(hoursAgo: number, s3: "success" | "off" = "off", services: readonly string[] = []): Manifest {
  const tier = s3 === "success" ? ({ tier: "etag" } as const) : {}
  return manifestOf(backupId(new Date(now - hoursAgo * hour)), {
    services: services.map((service) => keysOf(service)),
    storage: { local: "success", s3, ...tier, objects: [] },
  })
}

const judge = (manifests: readonly Manifest[], more: Partial<AgeOptions> = {}) =>
  judgeAge(manifests, { store: "local", now, limit: 26 * hour, unreadable: [], services: [], ...more })

describe("the age of the newest proven backup", () => {
  test("within the limit, whatever the order", () => {
    const { state, detail } = judge([backup(50), backup(3), backup(27)])
    assert.equal(state, "ok")
    assert.match(detail, /^backup-20260329-090000 is 3h 0m old, the limit is 26h 0m$/)
  })

  test("older, by a minute, or none at all, fails", () => {
    assert.equal(judge([backup(26)]).state, "ok")
    assert.equal(judge([backup(26 + 1 / 60)]).state, "failed")
    assert.deepEqual(judge([]), { state: "failed", detail: "there is no proven backup" })
  })

  test("one that S3 does not have proven is none there", () => {
    assert.equal(judge([backup(1)], { store: "s3" }).state, "failed")
    assert.equal(judge([backup(1, "success")], { store: "s3" }).state, "ok")
  })

  test("counts for each data service: a young backup of one hides no old one of another", () => {
    const services = ["cache", "db"]
    const full = backup(30, "off", services)
    const { state, detail } = judge([backup(1, "off", ["db"]), full], { services })
    assert.equal(state, "failed")
    assert.match(detail, /^backup-20260328-060000, the newest of cache, is 30h 0m old/)
    assert.equal(judge([backup(1, "off", ["db"]), backup(2, "off", services)], { services }).state, "ok")
    const three = [backup(1, "off", ["db"]), backup(2, "off", services), backup(40, "off", services)]
    assert.equal(judge(three, { services }).state, "ok")
    assert.deepEqual(judge([backup(1, "off", ["db"])], { services }), {
      state: "failed",
      detail: "there is no proven backup of cache",
    })
  })

  test("one that has lost a file is none", () => {
    const [young, old] = [backup(1), backup(2)]
    const lacking = new Map([[young.id, ["a file is gone"]]])
    const { state, detail } = judge([young, old], { lacking })
    assert.deepEqual(
      [state, detail],
      ["ok", `${old.id} is 2h 0m old, the limit is 26h 0m; files are gone of ${young.id}`],
    )
    assert.equal(judge([young], { lacking }).state, "failed")
  })

  test("one from the future is not young: nothing is known", () => {
    assert.equal(judge([backup(-0.05)]).state, "ok")
    assert.equal(judge([backup(-1), backup(1)]).state, "unknown")
  })

  test("one whose last drill failed is none, in the store that was drilled; a later drill that succeeds heals it", () => {
    const [young, older] = [backup(1), backup(30)]
    const failed = { ...recordOf(young.id, "drill-20260329-113000"), result: "failed" as const }
    assert.deepEqual(judge([young, older], { drills: [failed] }), {
      state: "failed",
      detail: `${older.id} is 30h 0m old, the limit is 26h 0m; the last drill failed of ${young.id}`,
    })
    assert.equal(judge([young, backup(2)], { drills: [failed] }).state, "ok")
    assert.equal(judge([young], { drills: [{ ...failed, source: "s3" }] }).state, "ok")
    const healed = recordOf(young.id, "drill-20260329-114000")
    assert.equal(judge([young], { drills: [healed, failed] }).state, "ok")
    assert.equal(judge([young], { drills: [failed, healed] }).state, "failed")
  })

  test("manifests that cannot be read are told, and are a warning at least", () => {
    const young = judge([backup(1)], { unreadable: ["x.json: no JSON"] })
    assert.equal(young.state, "warning")
    assert.match(young.detail, /1 manifests cannot be read/)
    assert.equal(judge([], { unreadable: ["x.json: no JSON"] }).state, "failed")
  })
})
