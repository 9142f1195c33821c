import assert from "node:assert/strict"
import { test } from "node:test"
import { describeMeasured, measurePair, median, type Pair } from "./pairs.ts"

function pair(ours: readonly number[], theirs: readonly number[], more: Partial<Pair> = {}): Pair {
  const from = (times: readonly number[]) => {
    const left = [...times]
    return async () => left.shift() ?? assert.fail("asked once too often")
  }
  const run = { ours: from(ours), theirs: from(theirs) }
  return { ours: "ours", theirs: "theirs", goal: 1.5, rounds: ours.length, run, ...more }
}

test("the sides of a pair take turns in going first", async () => {
  const shown: string[] = []
  await measurePair(pair([1000, 2000], [3000, 4000]), (line) => shown.push(line))
  assert.deepEqual(shown, ["3.0 s  theirs", "1.0 s  ours", "2.0 s  ours", "4.0 s  theirs"])
})

test("a ratio is the median of the rounds' own, so that a slow moment of the machine is none of ours", async () => {
  const measured = await measurePair(pair([10, 120, 14], [10, 100, 10]), () => {})
  assert.deepEqual([measured.ratio, measured.isMet], [1.2, true])
  assert.equal((await measurePair(pair([16], [10]), () => {})).isMet, false)
})

test("where more is better the ratio is turned round", async () => {
  const measured = await measurePair(pair([10], [52], { goal: 5, atLeast: true }), () => {})
  assert.match(describeMeasured(measured), /^ok {5} ours \(0\.0 s\): 5\.20 times as fast as theirs .*; goal 5 or more$/)
  assert.equal((await measurePair(pair([10], [49], { goal: 5, atLeast: true }), () => {})).isMet, false)
})

test("median", () => assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]))
