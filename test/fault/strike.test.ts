import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { faultNames } from "./faults.ts"
import { portionsOf, randomPortions, strikesOf } from "./plans.ts"
import { actionNames } from "./scenario.ts"
import { parseStrike, spread, strikeText } from "./strike.ts"

const places = new Map(
  actionNames.map((action) => [
    action,
    ["look", "stop", "swap", "start", "wait"].map((step, at) => ({ step, nth: 1, detached: at % 2 === 1 })),
  ]),
)
const some = faultNames.filter((one) => one !== "dockerd-restart")

test("a strike's text names it again", () => {
  for (const strike of strikesOf({ extent: "all", faults: faultNames, seed: 1, rounds: 1 }, places))
    assert.deepEqual(parseStrike(strikeText(strike)), strike)
  for (const text of ["", "backup/x/1/0/FIRE", "dance/x/1/0/SIGKILL", "backup//1/0/SIGKILL", "backup/x/0/0/SIGKILL"])
    assert.throws(() => parseStrike(text), /ACTION\/STEP/)
})

test("the short form meets every action and every fault, whatever the seed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0 }), (seed) => {
      const strikes = strikesOf({ extent: "short", faults: some, seed, rounds: 7 }, places)
      assert.deepEqual(new Set(strikes.map((one) => one.action)), new Set(actionNames))
      assert.deepEqual(new Set(strikes.map((one) => one.fault)), new Set(some))
      for (const { step, fault } of strikes) assert.ok(fault !== "worker-kill" || ["stop", "start"].includes(step))
      assert.deepEqual(strikesOf({ extent: "short", faults: some, seed, rounds: 7 }, places), strikes)
    }),
  )
})

test("the long form kills every step, the whole one does everything everywhere", () => {
  const killed = (extent: "long" | "all") =>
    strikesOf({ extent, faults: some, seed: 1, rounds: 1 }, places).filter((one) => one.fault === "SIGKILL").length
  assert.deepEqual([killed("long"), killed("all")], [25, 50])
})

test("portions hold every strike once, each of one action", () => {
  const strikes = strikesOf({ extent: "all", faults: faultNames, seed: 1, rounds: 1 }, places)
  const told: string[] = []
  const portions = portionsOf(strikes)
  for (let next = portions.next(); !next.done; next = portions.next())
    for (const strike of next.value.strikes) {
      assert.equal(strike.action, next.value.action)
      told.push(strikeText(strike))
    }
  assert.deepEqual(told.toSorted(), strikes.map(strikeText).toSorted())
})

test("a seed repeats what is struck at random", () => {
  const first = () => {
    const portions = randomPortions({ extent: "short", faults: some, seed: 5, rounds: 1 }, places, () => false)
    return Array.from({ length: 20 }, () => [...(portions.next().value?.strikes ?? [])])
  }
  assert.deepEqual(first(), first())
})

test("samples are spread from the first to the last", () => {
  assert.deepEqual(spread([1, 2, 3, 4, 5, 6, 7], 4), [1, 3, 5, 7])
  assert.deepEqual(spread([1, 2], 4), [1, 2])
})
