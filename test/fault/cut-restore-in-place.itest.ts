import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { sql } from "../job/recreate-ground.ts"
import { backUpWithout, halfRestored, serving, write } from "./cut.ts"
import { type Ground, openGround } from "./ground.ts"
import { killKeepers } from "./kill-keepers.ts"
import { disorder, waitForLock } from "./look.ts"
import { good } from "./loop.ts"
import { momentName } from "./tool.ts"

/** Where to strike, in their order, at once or while it is at work; from the note on there is only the way forward. */
const steps = [
  "try-postgres-healthcare",
  "drop-tried-postgres",
  "dump-postgres-healthcare",
  "move-out-postgres",
  "note-dropped-postgres",
  "make-room-postgres",
  "restore-postgres-healthcare",
  "swap-postgres",
  "note-restored-postgres",
  "note-replaced",
]
const live = { postgres: "later", redis: "later" }
const restored = { postgres: "", redis: "" }

describe("a restore in place", { timeout: 3_000_000 }, () => {
  let ground: Ground
  before(async () => {
    ground = await openGround(28)
    await ground.stopWriting()
    sql(ground.stack, "alter system set max_wal_size = '64MB'")
    sql(ground.stack, "select pg_reload_conf()")
    sql(ground.stack, "create table mark (word text)")
    sql(
      ground.stack,
      "create table bulk as select g, repeat(md5(g::text), 8) filling from generate_series(1, 120000) g",
    )
  })
  after(() => ground[Symbol.asyncDispose]())

  /** Leaves ten megabytes less than a restore beside the live databases takes. */
  const fill = () => {
    const filler = join(ground.stack.baseDir, "filler")
    rmSync(filler, { force: true })
    sql(ground.stack, "checkpoint")
    const sizes = Number(
      sql(ground.stack, "select sum(pg_database_size(oid)) from pg_database where not datistemplate"),
    )
    const { bavail, blocks, bsize } = statfsSync(ground.stack.baseDir)
    const leave = sizes + 64 * 2 ** 20 + blocks * bsize * 0.05 - 10 * 2 ** 20
    execFileSync("fallocate", ["-l", String(Math.floor(bavail * bsize - leave)), filler])
  }
  const kept = () => sql(ground.stack, "select string_agg(datname, ' ') from pg_database where datname ~ '__old_'")
  const inOrder = async () => [await disorder(ground, 4), halfRestored(ground), kept()]
  const words = (id: string, ...more: readonly string[]) => ["restore", "--backup-id", id, ...more]
  let without: string

  it("is made only if it is allowed, and says where what was there before is", async () => {
    without = await backUpWithout(ground)
    write(ground)
    fill()
    const { code, outputs, log, moments } = await ground.run(words(without))
    assert.deepEqual([code, outputs.reason], [2, "disk-space"], log)
    assert.ok(!moments.some(({ step }) => step === "stop-writers"), "it is seen before the app stops")
    assert.deepEqual([serving(ground), await inOrder()], [live, [[], "", ""]])
    await good(ground, words(without, "--in-place", "--dry-run"))
    assert.deepEqual([serving(ground), await inOrder()], [live, [[], "", ""]])
    const done = await good(ground, words(without, "--in-place"))
    assert.deepEqual([serving(ground), await inOrder()], [restored, [[], "", ""]], done.log)
    assert.deepEqual(
      steps.filter((step) => !done.moments.some((one) => one.step === step)),
      [],
      "each step to strike at is there",
    )
    const held = /What was there before is in (backup-\S+)\./.exec(done.log)?.[1] ?? assert.fail(done.log)
    const undo = await ground.run(["restore", "--mode", "undo"])
    assert.deepEqual([undo.code, undo.outputs.reason], [2, "undo-in-place"], undo.log)
    assert.match(undo.log, new RegExp(`Restore ${held}`))
    for (let count = 0; count < 3; count += 1) await good(ground, ["backup"])
    await good(ground, words(held, "--in-place", "--services", "postgres"))
    assert.equal(serving(ground).postgres, "later", "retention, which keeps two, has left it")
  })

  it("whose rows differ in the end leaves the app stopped, and what was there comes back from the backup that it names", async () => {
    without = await backUpWithout(ground)
    write(ground)
    fill()
    const manifest = join(ground.stack.baseDir, "backups/metadata", `${without}.json`)
    const text = readFileSync(manifest, "utf8")
    writeFileSync(manifest, text.replace(/("name":\s*"mark",\s*"rows":\s*)0/, "$11"))
    assert.notEqual(readFileSync(manifest, "utf8"), text)
    const { code, outputs, log } = await ground.run(words(without, "--in-place"))
    assert.notEqual(code, 0)
    assert.equal(outputs.reason, "restore-failed", log)
    assert.match(log, /mark rows: 0 instead of 1; the live data of postgres had been dropped/)
    const held = /What was there before is in (backup-\S+?)\./.exec(log)?.[1] ?? assert.fail(log)
    const next = await ground.run(["backup"])
    assert.deepEqual([next.outputs.reason, next.outputs["backup-id"]], ["restore-cut", ""], next.log)
    await good(ground, words(held, "--services", "postgres"))
    assert.deepEqual([serving(ground), await inOrder()], [live, [[], "", ""]])
    writeFileSync(manifest, text)
  })

  it("that is killed is undone as long as nothing was dropped, and finished from then on", {
    timeout: 3_000_000,
  }, async (test) => {
    for (const [at, step] of steps.entries())
      for (const delay of step === "make-room-postgres" ? [0, 120] : [at % 2 === 0 ? 0 : 120]) {
        without = await backUpWithout(ground)
        write(ground)
        fill()
        const kill = { step, nth: 1, delay }
        const { code, log } = await ground.run(words(without, "--in-place"), kill)
        killKeepers(ground)
        await test.test(`at ${momentName(kill)} + ${delay} ms`, async () => {
          assert.equal(code, null, log)
          await waitForLock(ground)
          // It warns of the disk, and may not call that healthy.
          const next = await ground.run(["check-infra"])
          assert.equal(next.outputs.unfinished, "run", next.log)
          const { log: told } = await good(ground, ["backup"])
          const [dropping, after] = [steps.indexOf("note-dropped-postgres"), steps.indexOf("make-room-postgres")]
          if (at < dropping) assert.deepEqual(serving(ground), live, told)
          if (at >= after) assert.deepEqual(serving(ground), restored, told)
          const { postgres, redis } = serving(ground)
          assert.equal(postgres, redis, `a mix\n${told}`)
          assert.match(told, postgres === "" ? /The restore of backup-\S+ is finished/ : /The restore is undone/)
          assert.deepEqual(await inOrder(), [[], "", ""], told)
        })
      }
  })
})
