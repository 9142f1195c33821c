import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import fc from "fast-check"
import { limit } from "../../src/host/limit.ts"

test("never more than allowed are in, all get in, in the order in which they came", async () => {
  const law = fc.asyncProperty(
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.nat(3), { maxLength: 15 }),
    async (count, turns) => {
      const places = limit(count)
      const order: number[] = []
      let inside = 0
      await Promise.all(
        turns.map(async (stay, index) => {
          const leave = await places.enter()
          inside += 1
          assert.ok(inside <= count)
          order.push(index)
          for (let n = 0; n < stay; n += 1) await turn()
          inside -= 1
          leave()
          leave()
        }),
      )
      assert.deepEqual(order, [...turns.keys()])
    },
  )
  await fc.assert(law, { numRuns: 50 })
})

test("who gives up waiting takes no place", async () => {
  const places = limit(1)
  const leave = await places.enter()
  const stop = new AbortController()
  const given = places.enter(stop.signal)
  const next = places.enter()
  stop.abort(new Error("no more"))
  await assert.rejects(given, /no more/)
  leave()
  ;(await next)()
  await assert.rejects(places.enter(stop.signal), /no more/)
  ;(await places.enter())()
})
