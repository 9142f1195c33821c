import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { decideRetention, decideRetentionBefore, periodKey } from "../../src/core/retention.ts"
import { list, none, now, reasonsOf } from "./retention-cases.ts"

describe("retention and time", () => {
  test("weeks are those of ISO 8601: Monday to Sunday, week 53, the year of the Thursday", () => {
    const week = (date: string) => periodKey("weekly", new Date(`${date}T12:00:00Z`))
    const golden = {
      "2020-12-31": "2020-W53",
      "2021-01-03": "2020-W53",
      "2021-01-04": "2021-W01",
      "2024-12-29": "2024-W52",
      "2024-12-30": "2025-W01",
      "2026-12-31": "2026-W53",
      "2027-01-03": "2026-W53",
      "2027-01-04": "2027-W01",
      "2023-01-01": "2022-W52",
      "2016-02-29": "2016-W09",
    }
    for (const [date, key] of Object.entries(golden)) assert.equal(week(date), key, date)
    assert.equal(periodKey("weekly", new Date("2026-06-28T23:59:59Z")), "2026-W26")
    assert.equal(periodKey("weekly", new Date("2026-06-29T00:00:00Z")), "2026-W27")
  })

  test("the seven days of a week have one key, the next week has the next one, over 400 years", () => {
    const day = 86_400_000
    const monday = Date.parse("1970-01-05T00:00:00Z")
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_800 }), fc.integer({ min: 0, max: 7 * day - 1 }), (week, within) => {
        const start = monday + week * 7 * day
        const key = periodKey("weekly", new Date(start))
        assert.equal(periodKey("weekly", new Date(start + within)), key)
        assert.ok(periodKey("weekly", new Date(start + 7 * day)) > key)
        assert.ok(periodKey("weekly", new Date(start - 1)) < key)
      }),
    )
  })

  test("a week over new year is one week and two months", () => {
    const items = list("2027-01-02T00:00:00Z", "2026-12-30T00:00:00Z", "2026-12-28T00:00:00Z")
    const later = new Date("2027-02-01T00:00:00Z")
    assert.deepEqual(reasonsOf(items, { ...none, weekly: 2 }, later), [
      ["weekly", "newest-proven"],
      ["outside-policy"],
      ["oldest-weekly"],
    ])
    assert.deepEqual(reasonsOf(items, { ...none, monthly: 2 }, later), [
      ["monthly", "newest-proven"],
      ["monthly"],
      ["outside-policy"],
    ])
  })

  test("days are those of UTC, whatever the zone of this machine", () => {
    const items = list("2026-06-30T00:30:00Z", "2026-06-29T23:30:00Z")
    assert.ok(reasonsOf(items, { ...none, daily: 2 }).every((reasons) => reasons.includes("daily")))
  })

  test("a machine's time zone and its changes of clock move no day: 23 and 25 hours, and a night that has no 02:30", () => {
    const zone = process.env.TZ
    const golden = new Map([
      ["2026-03-28T23:30:00Z", "2026-03-28"],
      ["2026-03-29T00:30:00Z", "2026-03-29"],
      ["2026-03-29T01:00:00Z", "2026-03-29"],
      ["2026-03-29T21:59:59Z", "2026-03-29"],
      ["2026-03-29T22:00:00Z", "2026-03-29"],
      ["2026-10-24T23:59:59Z", "2026-10-24"],
      ["2026-10-25T00:30:00Z", "2026-10-25"],
      ["2026-10-25T01:30:00Z", "2026-10-25"],
      ["2026-10-25T23:30:00Z", "2026-10-25"],
    ])
    try {
      for (const name of ["Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "UTC"]) {
        process.env.TZ = name
        for (const [time, day] of golden) assert.equal(periodKey("daily", new Date(time)), day, `${time} in ${name}`)
        assert.equal(periodKey("weekly", new Date("2026-03-29T22:30:00Z")), "2026-W13", name)
        assert.equal(periodKey("monthly", new Date("2026-10-31T23:30:00Z")), "2026-10", name)
        const twice = list("2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-24T23:30:00Z")
        assert.deepEqual(reasonsOf(twice, { ...none, daily: 2 }, new Date("2026-10-26T00:00:00Z")), [
          ["daily", "newest-proven"],
          ["outside-policy"],
          ["daily"],
        ])
      }
    } finally {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    }
  })

  test("a clock that is some minutes slow takes nothing away: what it sees in the future stays, and the rest keeps its places", () => {
    const items = list("2026-06-30T12:04:00Z", "2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-28T02:00:00Z")
    const slow = reasonsOf(items, { ...none, daily: 2 }, new Date("2026-06-30T12:00:00Z"))
    assert.deepEqual(slow, [["future"], ["daily", "newest-proven"], ["daily"], ["outside-policy"]])
    const right = reasonsOf(items, { ...none, daily: 2 }, new Date("2026-06-30T12:05:00Z"))
    assert.deepEqual(right, [["daily", "newest-proven"], ["outside-policy"], ["daily"], ["outside-policy"]])
  })

  test("a clock that jumped back to 1970 removes nothing, one that jumped to 2100 removes what the policy does not count", () => {
    const items = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-28T02:00:00Z")
    const early = reasonsOf(items, { ...none, last: 1 }, new Date(0))
    assert.deepEqual(early, [
      ["future", "clock"],
      ["future", "clock"],
      ["future", "clock"],
    ])
    const late = reasonsOf(items, { ...none, daily: 2 }, new Date("2100-01-01T00:00:00Z"))
    assert.deepEqual(late, [["daily", "newest-proven"], ["daily"], ["outside-policy"]])
  })

  test("two backups of one second are told apart by their ids", () => {
    const items = ["backup-a", "backup-b"].map((id) => ({
      id,
      created: "2026-06-01T00:00:00Z",
      holds: ["db"],
      proven: true,
    }))
    const decisions = decideRetention(items, { policy: { ...none, last: 1 }, now })
    assert.deepEqual(
      decisions.map(({ id, keep }) => [id, keep]),
      [
        ["backup-b", true],
        ["backup-a", false],
      ],
    )
  })

  test("a backup of this very moment is none of the future", () => {
    assert.deepEqual(reasonsOf(list("2026-06-30T12:00:00Z"), { ...none, last: 1 }), [["last", "newest-proven"]])
  })

  test("a host whose clock fell back two months makes backups that look old: none goes, the newest real ones neither", () => {
    const behind = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-05-01T03:00:00Z", "2026-05-01T02:00:00Z")
    const at = new Date("2026-05-01T03:05:00Z")
    assert.deepEqual(reasonsOf(behind, { ...none, last: 1 }, at), [
      ["future", "clock"],
      ["future", "clock"],
      ["last", "newest-proven", "clock"],
      ["clock"],
    ])
    const before = decideRetentionBefore(behind, ["db"], { policy: { ...none, last: 1 }, now: at })
    assert.ok(before.every(({ keep }) => keep))
  })

  test("while what was just made is not the newest, none goes: one minute is enough, the same moment is not", () => {
    const items = list("2026-06-30T11:00:00Z", "2026-06-30T10:00:00Z", "2026-06-29T02:00:00Z")
    const kept = (made: string) =>
      decideRetention(items, { policy: { ...none, last: 1 }, now, made: new Date(made) }).map(({ keep }) => keep)
    assert.deepEqual(kept("2026-06-30T10:59:00Z"), [true, true, true])
    assert.deepEqual(kept("2026-06-30T11:00:00Z"), [true, false, false])
  })

  test("a backup of the future stays, and while it does all others stay with it", () => {
    const items = list("2030-01-01T00:00:00Z", "2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z")
    assert.deepEqual(reasonsOf(items, { ...none, last: 1 }), [
      ["future", "clock"],
      ["last", "newest-proven", "clock"],
      ["clock"],
    ])
  })
})
