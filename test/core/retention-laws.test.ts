import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  decideRetention,
  decideRetentionBefore,
  type RetentionDecision,
  type RetentionItem,
  type RetentionOptions,
} from "../../src/core/retention.ts"

const now = new Date("2026-06-30T12:00:00Z")

const holdsOf = fc.subarray(["cache", "db/app", "db/billing"], { minLength: 1 })
const itemsOf = fc
  .array(
    fc.record({
      day: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 500 })),
      // Some at the very same moment, and at that of the decision.
      second: fc.oneof(fc.constantFrom(0, 43_200), fc.integer({ min: 0, max: 86_399 })),
      holds: holdsOf,
      proven: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    }),
    { maxLength: 60 },
  )
  .map((list) =>
    list.map(({ day, second, holds, proven }, index): RetentionItem => {
      // Ahead of now by no more than two clocks may differ.
      const time = new Date(Math.min(Date.UTC(2026, 5, 30 - day) + second * 1000, now.getTime() + 300_000))
      return { id: `b${index}`, created: time.toISOString(), holds, proven }
    }),
  )
const policyOf = fc.record({
  last: fc.integer({ min: 0, max: 4 }),
  daily: fc.integer({ min: 0, max: 9 }),
  weekly: fc.integer({ min: 0, max: 6 }),
  monthly: fc.integer({ min: 0, max: 14 }),
})

describe("retention holds these laws", () => {
  test("every backup is decided once, and each decision has a reason", () => {
    law((items, options) => {
      const decisions = decideRetention(items, options)
      assert.deepEqual(decisions.map(({ id }) => id).sort(), items.map(({ id }) => id).sort())
      for (const { reasons } of decisions) assert.ok(reasons.length > 0)
    })
  })

  test("the newest proven backup stays", () => {
    law((items, options) => {
      const proven = items.filter((item) => item.proven && item.created <= options.now.toISOString())
      const newest = proven
        .map(({ created }) => created)
        .sort()
        .at(-1)
      const kept = keptOf(items, options)
      if (newest) assert.ok(proven.some(({ id, created }) => created === newest && kept.has(id)))
    })
  })

  test("the newest proven backup of each service and database stays", () => {
    law((items, options) => {
      const kept = keptOf(items, options)
      for (const what of ["cache", "db/app", "db/billing"]) {
        const proven = items.filter(
          (item) => item.proven && item.holds.includes(what) && item.created <= options.now.toISOString(),
        )
        const newest = proven.map(({ created }) => created).sort()
        const stays = ({ id, created }: RetentionItem) => created === newest.at(-1) && kept.has(id)
        if (proven.length > 0) assert.ok(proven.some(stays), what)
      }
    })
  })

  test("a backup is decided as if those that lack something of it were not there", () => {
    law((items, options) => {
      const decisions = decideRetention(items, options)
      for (const item of items.filter(({ proven }) => proven)) {
        const rivals = items.filter((one) => item.holds.every((what) => one.holds.includes(what)))
        const alone = decideRetention(rivals, options).find(({ id }) => id === item.id)
        assert.deepEqual(
          decisions.find(({ id }) => id === item.id),
          alone,
        )
      }
    })
  })

  test("what is in use, dated in the future, or alone of its time stays", () => {
    law((items, options) => {
      const kept = keptOf(items, options)
      for (const item of items) {
        if (options.inUse?.has(item.id)) assert.ok(kept.has(item.id), "in use")
        if (Date.parse(item.created) > options.now.getTime()) assert.ok(kept.has(item.id), "future")
      }
      if (!items.some(({ proven }) => proven)) assert.equal(kept.size, items.length)
    })
  })

  test("an unproven backup goes when proven ones of all that it holds stay, each of them is newer, and it would go if it were proven", () => {
    law((items, options) => {
      const decisions = decideRetention(items, options)
      const kept = keptOf(items, options)
      for (const item of items.filter(({ proven }) => !proven)) {
        const decision = decisions.find(({ id }) => id === item.id)
        const rivals = items.filter(
          (one) =>
            one.proven &&
            kept.has(one.id) &&
            one.created <= options.now.toISOString() &&
            item.holds.every((what) => one.holds.includes(what)),
        )
        const outlived = rivals.length > 0 && rivals.every(({ created }) => created > item.created)
        const asProven = items.map((one) => (one === item ? { ...one, proven: true } : one))
        const wanted = decideRetention(asProven, options).find(({ id }) => id === item.id)?.reasons ?? []
        const stays =
          !outlived || wanted.some((reason) => /^(last|(oldest-)?(daily|weekly|monthly)|newest-proven)$/.test(reason))
        // What is dated in the future takes part in no period.
        const future = Date.parse(item.created) > options.now.getTime()
        if (!future) assert.equal(decision?.reasons.includes("unproven" as never) ?? false, stays, item.created)
        const held = decision?.reasons.filter((reason) => !/^unproven/.test(reason)) ?? []
        assert.equal(decision?.keep, stays || held.length > 0)
      }
    })
  })

  test("an unproven or future backup never changes what is decided about a proven one", () => {
    law((items, options) => {
      const counted = items.filter((item) => item.proven && Date.parse(item.created) <= options.now.getTime())
      const alone = decideRetention(counted, options)
      const together = decideRetention(items, options).filter(({ id }) => counted.some((item) => item.id === id))
      assert.deepEqual(together, alone)
    })
  })

  test("a larger policy never removes what a smaller one keeps, the oldest excepted", () => {
    fc.assert(
      fc.property(itemsOf, policyOf, policyOf, (items, policy, more) => {
        const larger = Object.fromEntries(
          Object.entries(policy).map(([key, value]) => [key, value + more[key as keyof typeof more]]),
        ) as typeof policy
        if (Object.values(policy).every((count) => count === 0)) return
        const kept = keptOf(items, { policy: larger, now })
        for (const decision of decideRetention(items, { policy, now })) {
          const byPeriod = decision.reasons.some((reason) => /^(last|daily|weekly|monthly)$/.test(reason))
          if (decision.keep && byPeriod) assert.ok(kept.has(decision.id), decision.id)
        }
      }),
    )
  })

  test("removing what it says and deciding again removes nothing more", () => {
    law((items, options) => {
      const kept = keptOf(items, options)
      const left = items.filter(({ id }) => kept.has(id))
      assert.deepEqual(keptOf(left, options), kept)
    })
  })

  test("before a backup nothing goes that would not go after it, and no newest proven one of anything", () => {
    const beforeLaw = fc.property(itemsOf, policyOf, holdsOf, (some, policy, holds) => {
      const options = { policy, now }
      // No two backups are made in the same second.
      const items = some.filter(({ created }) => created !== now.toISOString())
      const kept = new Set(keptIn(decideRetentionBefore(items, holds, options)))
      const coming = { id: "coming", created: now.toISOString(), holds, proven: true }
      const later = keptOf([coming, ...items], options)
      for (const { id } of items) if (later.has(id)) assert.ok(kept.has(id), `${id} stays afterwards`)
      const needed = decideRetention(items, options).filter(
        (one) => one.keep && one.reasons.some((reason) => reason === "newest-proven" || reason === "unproven"),
      )
      for (const { id, reasons } of needed) assert.ok(kept.has(id), `${id} ${reasons.join()}`)
      assert.ok(!kept.has("") && kept.size <= items.length)
    })
    fc.assert(beforeLaw, { numRuns: 500 })
  })

  test("while one is dated ahead of now, or is newer than what was just made, nothing goes, before a backup or after", () => {
    law((items, options) => {
      const times = items.map(({ created }) => Date.parse(created))
      const behind = new Date(Math.max(...times, 0) - 300_001)
      const made = new Date(Math.max(...times, 0) - 1)
      for (const wrong of [
        { ...options, now: behind },
        { ...options, made },
      ])
        assert.equal(keptOf(items, wrong).size, items.length)
      const before = decideRetentionBefore(items, ["db/app"], { ...options, now: behind })
      assert.ok(before.every(({ keep }) => keep))
    })
  })

  test("what was just made changes nothing while it is the newest", () => {
    law((items, options) => {
      const made = new Date(now.getTime() + 300_000)
      assert.deepEqual(decideRetention(items, { ...options, made }), decideRetention(items, options))
    })
  })

  test("the order of the list does not matter", () => {
    law((items, options) => {
      assert.deepEqual(decideRetention([...items].reverse(), options), decideRetention(items, options))
    })
  })

  test("it keeps at most as many of what holds the same as the policy counts", () => {
    fc.assert(
      fc.property(itemsOf, policyOf, (items, policy) => {
        const proven = items.filter((item) => item.proven && Date.parse(item.created) <= now.getTime())
        const room = Object.values(policy).reduce((sum, count) => sum + count, 0)
        const kept = keptOf(proven, { policy, now })
        const alike = Map.groupBy(proven, ({ holds }) => holds.join())
        for (const some of alike.values()) if (room > 0) assert.ok(some.filter(({ id }) => kept.has(id)).length <= room)
      }),
    )
  })
})

function law(holds: (items: readonly RetentionItem[], options: RetentionOptions) => void): void {
  fc.assert(
    fc.property(
      itemsOf,
      policyOf,
      fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 3 }),
      (items, policy, used) => {
        holds(items, { policy, now, inUse: new Set(used.map((index) => `b${index}`)) })
      },
    ),
    { numRuns: 200 },
  )
}

function keptOf(items: readonly RetentionItem[], options: RetentionOptions): ReadonlySet<string> {
  return new Set(keptIn(decideRetention(items, options)))
}

function keptIn(decisions: readonly RetentionDecision[]): readonly string[] {
  return decisions.flatMap(({ id, keep }) => (keep ? [id] : []))
}
