import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type Settings, verify } from "./spin.ts"

/** Runs A and B, or three of them; one step of work is the second one of a run that was cut after the first. */
const two = { CLIENTS: 2, STEPS: 1 }
const three = { CLIENTS: 3, STEPS: 1 }

const holds: Readonly<Record<string, Settings>> = {
  "two steps, a crash or a cancel at each point": { CLIENTS: 2, STEPS: 2, CRASHES: 1 },
  "two runs and a thief, a stall or a jump of the clock at each point": { ...three, JUMPS: 1 },
  "work killed or ended for its time at each point, whole or its keeper alone": { ...two, KILLS: 1 },
  "released by force": { ...two, FORCES: 1 },
  "a later attempt beside the first, and a stall": { ...two, RERUN: 1, JUMPS: 1 },
  "half done work is undone or finished, and a stall": { ...two, UNDO: 1, JUMPS: 1 },
}

/** More than one thing goes wrong: minutes and up to 3 GB. */
const deep: Readonly<Record<string, Settings>> = {
  "a later attempt and a crash": { ...two, RERUN: 1, CRASHES: 1 },
  "a kill and a stall": { ...two, KILLS: 1, JUMPS: 1 },
  "a crash and a stall": { ...two, CRASHES: 1, JUMPS: 1 },
  "a crash and a release by force": { ...two, CRASHES: 1, FORCES: 1 },
  "a crash, with undoing": { ...two, UNDO: 1, CRASHES: 1 },
}

const ends: Readonly<Record<string, Settings>> = {
  "after a crash": { ...two, CRASHES: 1 },
  "after a stall": { ...two, JUMPS: 1 },
  "after a kill": { ...two, KILLS: 1 },
}

const mutants: Readonly<Record<string, readonly [Settings, RegExp]>> = {
  "no fence before the act": [{ ...two, JUMPS: 1, NO_FENCE: 1 }, /inside==1/],
  "a stale lock is moved away by rename": [{ ...three, JUMPS: 1, RENAME_STEAL: 1 }, /stale/],
  "a new holder does not wait for work that lives": [{ ...two, JUMPS: 1, NO_SETTLE: 1 }, /inside==1/],
  "work whose keeper alone was killed counts as cut": [{ ...two, KILLS: 1, NO_LEFT: 1 }, /inside==1/],
  "the lock is handed on without a new number": [{ ...two, RERUN: 1, SAME_NUMBER: 1 }, /inside==1/],
}

describe("never two inside, nobody left waiting, the work done or undone in the end", () => {
  const all = process.env.MODEL_ALL ? { ...holds, ...deep } : holds
  for (const [name, settings] of Object.entries(all))
    test(name, async (context) => {
      const { errors, error, states } = await verify(settings)
      assert.equal(errors, 0, error)
      assert.ok(states > 10_000, `too few states to prove anything: ${states}`)
      context.diagnostic(`${states} states`)
    })
})

describe("every behaviour comes to its end", () => {
  for (const [name, settings] of Object.entries(ends))
    test(name, async () => {
      const { errors, error } = await verify(settings, "progress")
      assert.equal(errors, 0, error)
    })
})

describe("a protocol that is wrong is found out", () => {
  for (const [name, [settings, expected]] of Object.entries(mutants))
    test(name, async () => {
      const { errors, error } = await verify(settings)
      assert.equal(errors, 1)
      assert.match(error, expected)
    })
})
