import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { decideRetention, periodKey, type RetentionItem, type RetentionOptions } from "../../src/core/retention.ts"

const none = { last: 0, daily: 0, weekly: 0, monthly: 0 }
const now = new Date("2026-06-30T12:00:00Z")

describe("retention, case by case", () => {
  test("an empty policy removes nothing", () => {
    const decisions = decideRetention(list("2020-01-01T00:00:00Z", "2026-06-30T00:00:00Z"), { policy: none, now })
    assert.ok(decisions.every(({ keep, reasons }) => keep && reasons.some((reason) => reason === "empty-policy")))
  })

  test("the newest of each day counts, and only days that have a backup", () => {
    const items = list(
      "2026-06-30T08:00:00Z",
      "2026-06-30T02:00:00Z",
      "2026-06-20T02:00:00Z",
      "2026-05-01T23:59:59Z",
      "2026-05-01T00:00:00Z",
      "2026-04-01T02:00:00Z",
    )
    assert.deepEqual(reasonsOf(items, { ...none, daily: 3 }), [
      ["daily", "newest-proven"],
      ["outside-policy"],
      ["daily"],
      ["daily"],
      ["outside-policy"],
      ["outside-policy"],
    ])
  })

  test("one backup may stay for several periods: they are a union, not a sum", () => {
    const items = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-05-31T02:00:00Z")
    assert.deepEqual(reasonsOf(items, { last: 1, daily: 2, weekly: 2, monthly: 2 }), [
      ["last", "daily", "weekly", "monthly", "newest-proven"],
      ["daily"],
      ["weekly", "monthly"],
    ])
  })

  test("the oldest stays while a count is left", () => {
    const items = list("2026-06-30T02:00:00Z", "2026-06-30T01:00:00Z", "2026-06-30T00:00:00Z")
    assert.deepEqual(reasonsOf(items, { ...none, daily: 7 }), [
      ["daily", "newest-proven"],
      ["outside-policy"],
      ["oldest-daily"],
    ])
    assert.deepEqual(reasonsOf(items, { ...none, daily: 1 }).at(-1), ["outside-policy"])
  })

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

  test("gaps use up no count: after months without a backup the last of each week and month before them stay", () => {
    const items = list(
      "2026-06-30T02:00:00Z",
      "2026-02-03T02:00:00Z",
      "2026-02-02T02:00:00Z",
      "2026-02-01T02:00:00Z",
      "2025-11-30T02:00:00Z",
      "2025-11-01T02:00:00Z",
      "2024-01-01T02:00:00Z",
    )
    assert.deepEqual(reasonsOf(items, { last: 0, daily: 2, weekly: 3, monthly: 3 }), [
      ["daily", "weekly", "monthly", "newest-proven"],
      ["daily", "weekly", "monthly"],
      ["outside-policy"],
      ["weekly"],
      ["monthly"],
      ["outside-policy"],
      ["outside-policy"],
    ])
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
    assert.deepEqual(early, [["future"], ["future"], ["future"]])
    const late = reasonsOf(items, { ...none, daily: 2 }, new Date("2100-01-01T00:00:00Z"))
    assert.deepEqual(late, [["daily", "newest-proven"], ["daily"], ["outside-policy"]])
  })

  test("two backups of one second are told apart by their ids", () => {
    const items = ["backup-a", "backup-b"].map((id) => ({
      id,
      created: "2026-06-01T00:00:00Z",
      services: ["db"],
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

  test("a backup of the future stays and takes no one's place", () => {
    const items = list("2030-01-01T00:00:00Z", "2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z")
    assert.deepEqual(reasonsOf(items, { ...none, last: 1 }), [
      ["future"],
      ["last", "newest-proven"],
      ["outside-policy"],
    ])
  })

  test("an unproven backup takes no one's place, and goes only when an older proven one was kept", () => {
    const [newest, older, oldest] = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-01T02:00:00Z")
    assert.ok(newest && older && oldest)
    const items = [{ ...newest, proven: false }, older, { ...oldest, proven: false }]
    assert.deepEqual(reasonsOf(items, { ...none, last: 1 }), [
      ["unproven"],
      ["last", "newest-proven"],
      ["unproven-and-older"],
    ])
  })

  test("what the store has locked stays until the lock ends, takes no one's place, and says why", () => {
    const [newest, older, oldest] = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-28T02:00:00Z")
    assert.ok(newest && older && oldest)
    const items = [
      newest,
      { ...older, lockedUntil: "2026-06-30T12:00:01Z" },
      { ...oldest, lockedUntil: "2026-06-30T12:00:00Z" },
    ]
    assert.deepEqual(reasonsOf(items, { ...none, last: 1 }), [
      ["last", "newest-proven"],
      ["locked"],
      ["outside-policy"],
    ])
  })

  test("a backup of some services never takes the place of one of all, and a full one does of theirs", () => {
    const days = ["2026-06-30", "2026-06-29", "2026-06-28"]
    const items = days.flatMap((day) => [
      { id: `some-${day}`, created: `${day}T14:00:00Z`, services: ["db"], proven: true },
      { id: `all-${day}`, created: `${day}T02:00:00Z`, services: ["cache", "db"], proven: true },
    ])
    assert.deepEqual(reasonsOf(items, { ...none, daily: 2 }, new Date("2026-06-30T15:00:00Z")), [
      ["daily", "newest-proven"],
      ["daily", "newest-proven"],
      ["daily"],
      ["daily"],
      ["outside-policy"],
      ["outside-policy"],
    ])
    const evening = { id: "evening", created: "2026-06-30T20:00:00Z", services: ["db", "cache"], proven: true }
    assert.deepEqual(reasonsOf([evening, ...items], { ...none, daily: 1 }, new Date("2026-06-30T21:00:00Z")), [
      ["daily", "newest-proven"],
      ...items.map(() => ["outside-policy"]),
    ])
  })

  test("an unproven backup of a service that no kept one holds stays", () => {
    const [newest, older] = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-01T02:00:00Z")
    assert.ok(newest && older)
    const items = [newest, { ...older, services: ["cache"], proven: false }]
    assert.deepEqual(reasonsOf(items, { ...none, last: 1 }), [["last", "newest-proven"], ["unproven"]])
  })

  test("what a release points to stays", () => {
    const items = list("2026-06-30T02:00:00Z", "2026-01-01T02:00:00Z", "2025-01-01T02:00:00Z")
    const inUse = new Set([items[1]?.id ?? ""])
    const decisions = decideRetention(items, { policy: { ...none, last: 1 }, now, inUse })
    assert.deepEqual(
      decisions.map(({ keep }) => keep),
      [true, true, false],
    )
  })
})

function reasonsOf(items: readonly RetentionItem[], policy: RetentionOptions["policy"], at = now): readonly string[][] {
  return decideRetention(items, { policy, now: at }).map(({ reasons }) => [...reasons])
}

function list(...times: readonly string[]): readonly RetentionItem[] {
  return times.map((created) => ({ id: `backup-${created}`, created, services: ["db"], proven: true }))
}
