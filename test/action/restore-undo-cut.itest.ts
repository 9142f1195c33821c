import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { HostError } from "../../src/host/host.ts"
import { backup } from "../../src/job/backup.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { restore } from "../../src/job/restore.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { undoRestore } from "../../src/job/undo-restore.ts"
import { unfinishedOf } from "../../src/job/unfinished.ts"
import { open, redis, sql } from "../job/recreate-ground.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"

const slot = 29

describe("an undo of a database and its keys that dies between two steps", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    sql(place, "create table mark (word text)")
    const { manifest } = await backup(open(place))
    sql(place, "insert into mark values ('later')")
    redis(place, "set", "mark", "later")
    await restore(open(place), { backupId: manifest.id })
  })
  after(() => removeStack({ slot }))

  const state = () => ({ postgres: sql(place, "select word from mark"), redis: redis(place, "get", "mark") })
  /** Nothing is done from the step `at` on, by its name or its number: as when the runner and the host's keeper die. */
  const dying = (at: string | number) => {
    let [count, dead] = [0, false]
    return open(place, {
      beforeStep: (step) => {
        dead ||= step === at || count++ === at
        if (dead) throw new HostError("lost", `dead at ${step}`)
      },
    })
  }

  it("is finished or taken back as a whole by the next run, also when that dies, and never undone by itself", async (test) => {
    assert.deepEqual(state(), { postgres: "", redis: "" })
    const steps: string[] = []
    await undoRestore(open(place, { beforeStep: (step) => void steps.push(step) }))
    assert.deepEqual(state(), { postgres: "later", redis: "later" })
    const outcomes = new Map<string, string>()
    for (const [round, step] of steps.slice(1 + steps.indexOf("stop-writers")).entries())
      await test.test(`dead before ${step}`, async () => {
        // Each undo takes the last one back.
        const was = state()
        await assert.rejects(undoRestore(dying(step)))
        assert.equal(await unfinishedOf(open(place)), "run")
        const first = await finishInterrupted(dying(round % 4)).catch(() => undefined)
        const tools = open(place)
        const undone = (await finishInterrupted(tools)) ?? first
        const now = state()
        assert.equal(now.postgres, now.redis, `a mix: ${tools.said.join("\n")}`)
        const back = now.postgres === was.postgres
        outcomes.set(step, back ? "taken back" : "finished")
        assert.equal(await readStoppedApp(tools), undefined)
        if (undone === undefined) return assert.equal(back, true)
        assert.equal(back, false)
        assert.deepEqual(await undoRestore({ ...open(place), undone }), { done: [undone], left: [] })
        assert.deepEqual(state(), now)
      })
    for (const [step, outcome] of outcomes) console.log(`${step.padEnd(34)} ${outcome}`)
    assert.deepEqual(new Set(outcomes.values()), new Set(["finished", "taken back"]))
  })
})
