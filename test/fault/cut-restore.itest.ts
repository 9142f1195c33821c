import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { it } from "node:test"
import { redis, sql } from "../job/recreate-ground.ts"
import { type Ground, openGround } from "./ground.ts"
import { disorder, waitForLock } from "./look.ts"
import { chooseKills, good } from "./loop.ts"
import { momentName } from "./tool.ts"

it("finishes or undoes a restore, whichever step its runner and its keeper on the host are killed at", {
  timeout: 1_500_000,
}, async (test) => {
  await using ground = await openGround(3)
  await ground.stopWriting()
  sql(ground.stack, "create table mark (word text)")
  let id = await backUpWithout(ground)
  write(ground)
  const { moments } = await good(ground, ["restore", "--backup-id", id])
  assert.deepEqual(serving(ground), { postgres: "", redis: "" }, "what the backup holds")
  const outcomes = new Map<string, string>()
  for (const kill of chooseKills(moments)) {
    write(ground)
    const { code, log } = await ground.run(["restore", "--backup-id", id], kill)
    killKeepers(ground)
    await test.test(`killed at ${momentName(kill)} + ${kill.delay} ms`, async () => {
      assert.equal(code, null, log)
      await waitForLock(ground)
      const next = await good(ground, ["backup"])
      const { postgres, redis: keys } = serving(ground)
      id = postgres === "" ? String(next.outputs["backup-id"]) : await backUpWithout(ground)
      outcomes.set(momentName(kill), postgres === "" ? "finished" : "undone")
      assert.equal(postgres, keys, `a mix\n${next.log}`)
      assert.match(next.log, toldAs(moments, kill.step, postgres), next.log)
      assert.deepEqual([await disorder(ground, 4), halfRestored(ground)], [[], ""], next.log)
    })
  }
  for (const [step, outcome] of outcomes) console.log(`${step.padEnd(34)} ${outcome}`)
  assert.deepEqual(new Set(outcomes.values()), new Set(["finished", "undone"]))
})

async function backUpWithout(ground: Ground): Promise<string> {
  sql(ground.stack, "delete from mark")
  redis(ground.stack, "del", "mark")
  return String((await good(ground, ["backup"])).outputs["backup-id"])
}

/** What the backup does not hold. */
function write({ stack }: Ground): void {
  sql(stack, "delete from mark; insert into mark values ('later')")
  redis(stack, "set", "mark", "later")
}

function serving({ stack }: Ground) {
  return { postgres: sql(stack, "select word from mark"), redis: redis(stack, "get", "mark") }
}

function halfRestored({ stack }: Ground): string {
  return sql(stack, "select string_agg(datname, ' ') from pg_database where datname ~ '__new_'")
}

/** Before the app was stopped there was nothing to settle, and after its data was right only the app to start. */
function toldAs(moments: readonly { readonly step: string }[], step: string, postgres: string): RegExp {
  const at = moments.findIndex((one) => one.step === step)
  const first = moments.findIndex((one) => one.step === "stop-writers")
  const last = moments.findIndex((one) => one.step === "note-right-data")
  if (at <= first || at >= last) return /(?:)/
  return postgres === "" ? /The restore of backup-\S+ is finished/ : /The restore is undone/
}

/** Everything of ours that runs on the host, with all that it has started there. */
function killKeepers({ stack }: Ground): void {
  const folder = `${stack.baseDir}/state/production/work`
  for (const name of readdirSync(folder)) {
    const pid = /^\d+/.exec(textOf(`${folder}/${name}/pid`))?.[0]
    if (pid === undefined || !textOf(`/proc/${pid}/cmdline`).includes(folder)) continue
    process.kill(-Number(pid), "SIGKILL")
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return "" // it has ended since
  }
}
