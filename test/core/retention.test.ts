import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { decideRetention } from "../../src/core/retention.ts"
import { list, none, now, reasonsOf } from "./retention-cases.ts"

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

  test("an unproven backup takes no one's place, and goes only when it is older than every proven one that stays", () => {
    const [newest, older, oldest] = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-01T02:00:00Z")
    assert.ok(newest && older && oldest)
    const items = [{ ...newest, proven: false }, older, { ...oldest, proven: false }]
    assert.deepEqual(reasonsOf(items, { ...none, last: 1 }), [
      ["unproven"],
      ["last", "newest-proven"],
      ["unproven-and-older"],
    ])
    const twin = { ...older, id: "a-twin", proven: false }
    assert.deepEqual(reasonsOf([older, twin], { ...none, last: 1 }), [["last", "newest-proven"], ["unproven"]])
  })

  test("an unproven backup stays for as long as it would if it were proven", () => {
    const [newest, older] = list("2026-06-30T02:00:00Z", "2026-06-30T01:00:00Z")
    assert.ok(newest && older)
    const items = [newest, { ...older, proven: false }]
    assert.deepEqual(reasonsOf(items, { ...none, daily: 2 }), [["daily", "newest-proven"], ["unproven"]])
    assert.deepEqual(reasonsOf(items, { ...none, daily: 1 }).at(-1), ["unproven-and-older"])
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
      { id: `some-${day}`, created: `${day}T14:00:00Z`, holds: ["db"], proven: true },
      { id: `all-${day}`, created: `${day}T02:00:00Z`, holds: ["cache", "db"], proven: true },
    ])
    assert.deepEqual(reasonsOf(items, { ...none, daily: 2 }, new Date("2026-06-30T15:00:00Z")), [
      ["daily", "newest-proven"],
      ["daily", "newest-proven"],
      ["daily"],
      ["daily"],
      ["outside-policy"],
      ["outside-policy"],
    ])
    const evening = { id: "evening", created: "2026-06-30T20:00:00Z", holds: ["db", "cache"], proven: true }
    assert.deepEqual(reasonsOf([evening, ...items], { ...none, daily: 1 }, new Date("2026-06-30T21:00:00Z")), [
      ["daily", "newest-proven"],
      ...items.map(() => ["outside-policy"]),
    ])
  })

  test("an unproven backup of a service that no kept one holds stays", () => {
    const [newest, older] = list("2026-06-30T02:00:00Z", "2026-06-29T02:00:00Z", "2026-06-01T02:00:00Z")
    assert.ok(newest && older)
    const items = [newest, { ...older, holds: ["cache"], proven: false }]
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
