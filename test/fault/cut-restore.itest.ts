import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { docker, sql } from "../job/recreate-ground.ts"
import { backUpWithout, halfRestored, serving, write } from "./cut.ts"
import { type Ground, openGround } from "./ground.ts"
import { killKeepers } from "./kill-keepers.ts"
import { disorder, waitForLock } from "./look.ts"
import { chooseKills, good } from "./loop.ts"
import { momentName } from "./tool.ts"

describe("a restore that does not come to its end", { timeout: 3_000_000 }, () => {
  let ground: Ground
  before(async () => {
    ground = await openGround(14)
    await ground.stopWriting()
    sql(ground.stack, "create table mark (word text)")
  })
  after(() => ground[Symbol.asyncDispose]())

  it("is finished or undone, whichever step its runner and its keeper on the host are killed at", {
    timeout: 3_000_000,
  }, async (test) => {
    let id = await backUpWithout(ground)
    write(ground)
    const { moments } = await good(ground, ["restore", "--backup-id", id])
    assert.deepEqual(serving(ground), { postgres: "", redis: "" }, "what the backup holds")
    const outcomes = new Map<string, string>()
    for (const kill of chooseKills(moments)) {
      if (id === "") id = await backUpWithout(ground)
      write(ground)
      const { code, log } = await ground.run(["restore", "--backup-id", id], kill)
      killKeepers(ground)
      await test.test(`killed at ${momentName(kill)} + ${kill.delay} ms`, async () => {
        assert.equal(code, null, log)
        await waitForLock(ground)
        const next = await good(ground, ["backup"])
        const { postgres, redis: keys } = serving(ground)
        id = postgres === "" ? String(next.outputs["backup-id"]) : ""
        outcomes.set(momentName(kill), postgres === "" ? "finished" : "undone")
        assert.equal(postgres, keys, `a mix\n${next.log}`)
        assert.match(next.log, toldAs(moments, kill.step, postgres), next.log)
        assert.deepEqual([await disorder(ground, 20), halfRestored(ground)], [[], ""], next.log)
      })
    }
    for (const [step, outcome] of outcomes) console.log(`${step.padEnd(34)} ${outcome}`)
    assert.deepEqual(new Set(outcomes.values()), new Set(["finished", "undone"]))
  })

  it("goes back as a whole when the keys that belong to a restored database cannot be restored", async () => {
    const id = await backUpWithout(ground)
    write(ground)
    const { project } = ground.stack
    const rival = `t-rec-rival-${process.pid}`
    const run = ["run", "-d", "--rm", "--name", rival, "--label", "infra-actions.testbed=1"]
    await docker(...run, "--volumes-from", `${project}-dragonfly-1`, "infra-testbed/base:bookworm", "sleep", "300")
    try {
      const { code, log, outputs } = await ground.run(["restore", "--backup-id", id])
      assert.deepEqual([code, outputs.reason], [2, "data-in-use"], log)
      assert.match(log, /The restore is undone/)
    } finally {
      await docker("kill", rival)
    }
    assert.deepEqual(serving(ground), { postgres: "later", redis: "later" })
    assert.deepEqual([await disorder(ground, 20), halfRestored(ground)], [[], ""])
  })

  it("of a foreign dump is undone", async () => {
    const { project, baseDir } = ground.stack
    const file = `${baseDir}/foreign.sql`
    writeFileSync(file, await docker("exec", `${project}-postgres-1`, "pg_dump", "-U", "app", "-d", "healthcare"))
    const words = ["restore", "--file", file, "--database", "healthcare", "--services", "postgres"]
    write(ground)
    const { code, log } = await ground.run(words, { step: "restore-foreign-postgres", nth: 1, delay: 300 })
    killKeepers(ground)
    assert.equal(code, null, log)
    await waitForLock(ground)
    assert.match((await good(ground, ["backup"])).log, /A restore of a dump was cut off[\s\S]*The restore is undone/)
    assert.deepEqual(serving(ground), { postgres: "later", redis: "later" })
    assert.deepEqual([await disorder(ground, 20), halfRestored(ground)], [[], ""])
  })
})

/** Before the app was stopped there was nothing to settle, and after its data was right only the app to start. */
function toldAs(moments: readonly { readonly step: string }[], step: string, postgres: string): RegExp {
  const at = moments.findIndex((one) => one.step === step)
  const first = moments.findIndex((one) => one.step === "stop-writers")
  const last = moments.findIndex((one) => one.step === "note-right-data")
  if (at <= first || at >= last) return /(?:)/
  return postgres === "" ? /The restore of backup-\S+ is finished/ : /The restore is undone/
}
