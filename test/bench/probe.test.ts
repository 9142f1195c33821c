import assert from "node:assert/strict"
import { test } from "node:test"
import { type Answer, downtime } from "./probe.ts"

const good = (began: number): Answer => ({ began, ended: began + 3, good: true })
const bad = (began: number): Answer => ({ began, ended: began + 1000, good: false })

test("downtime reaches from the last good probe before the first bad one to the first good one after the last", () => {
  assert.equal(downtime([good(0), good(50)]), 0)
  assert.equal(downtime([bad(100), good(150), good(0), good(50)]), 103)
  assert.equal(downtime([good(0), bad(50), good(100), bad(150), good(200)]), 203)
})

test("an app that was not good before, or is not good again, has no downtime that could be told", () => {
  assert.throws(() => downtime([bad(0), good(50)]))
  assert.throws(() => downtime([good(0), bad(50)]))
})
