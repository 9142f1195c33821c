import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { redis, sql } from "../job/recreate-ground.ts"
import { type Ground, openGround } from "./ground.ts"
import { killKeepers } from "./kill-keepers.ts"
import { disorder, waitForLock } from "./look.ts"
import { chooseKills, good } from "./loop.ts"
import { momentName } from "./tool.ts"

const undo = ["restore", "--mode", "undo"]
/** Steps of a run that finishes an undo or takes it back: it is killed, too, at one of them after the other. */
const settling = ["undo-dragonfly", "start-services", "take-back-dragonfly", "start-dragonfly", "note-right-data"]

describe("an undo of a database and its keys that does not come to its end", { timeout: 3_000_000 }, () => {
  let ground: Ground
  before(async () => {
    ground = await openGround(27)
    await ground.stopWriting()
    sql(ground.stack, "create table mark (word text)")
    const id = String((await good(ground, ["backup"])).outputs["backup-id"])
    sql(ground.stack, "insert into mark values ('later')")
    redis(ground.stack, "set", "mark", "later")
    await good(ground, ["restore", "--backup-id", id])
  })
  after(() => ground[Symbol.asyncDispose]())

  it("is finished or taken back as a whole, whichever step it is killed at, and who settles it as well", {
    timeout: 3_000_000,
  }, async (test) => {
    assert.deepEqual(serving(ground), { postgres: "", redis: "" })
    const { moments } = await good(ground, undo)
    assert.deepEqual(serving(ground), { postgres: "later", redis: "later" })
    const first = moments.findIndex(({ step }) => step === "stop-writers")
    const outcomes = new Map<string, string>()
    for (const [round, kill] of chooseKills(moments.slice(first)).entries()) {
      // Each undo takes the last one back.
      const was = serving(ground)
      const { code, log } = await ground.run(undo, kill)
      killKeepers(ground)
      await test.test(`killed at ${momentName(kill)} + ${kill.delay} ms`, async () => {
        assert.equal(code, null, log)
        await waitForLock(ground)
        const again = await ground.run(["backup"], {
          step: settling[round % settling.length] ?? "",
          nth: 1,
          delay: 100,
        })
        killKeepers(ground)
        await waitForLock(ground)
        const next = await good(ground, ["backup"])
        const now = serving(ground)
        assert.equal(now.postgres, now.redis, `a mix\n${again.log}\n${next.log}`)
        outcomes.set(momentName(kill), now.postgres === was.postgres ? "taken back" : "finished")
        assert.deepEqual(await disorder(ground, 4), [], next.log)
      })
    }
    for (const [step, outcome] of outcomes) console.log(`${step.padEnd(34)} ${outcome}`)
    assert.deepEqual(new Set(outcomes.values()), new Set(["finished", "taken back"]))
  })

  it("is not undone again by who asks for it again", async () => {
    const was = serving(ground)
    const { code, log } = await ground.run(undo, { step: "undo-postgres", nth: 1, delay: 0 })
    killKeepers(ground)
    assert.equal(code, null, log)
    await waitForLock(ground)
    const next = await good(ground, undo)
    assert.match(next.log, /dragonfly and postgres as before the restore: the undo of an earlier run is finished/)
    assert.notDeepEqual(serving(ground), was)
    assert.equal(serving(ground).postgres, serving(ground).redis)
    assert.deepEqual(await disorder(ground, 4), [], next.log)
  })
})

function serving({ stack }: Ground) {
  return { postgres: sql(stack, "select word from mark"), redis: redis(stack, "get", "mark") }
}
