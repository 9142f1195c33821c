import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { restore } from "../../src/job/restore.ts"
import { restoreForeign } from "../../src/job/restore-foreign.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { undoRestore } from "../../src/job/undo-restore.ts"
import { removeStack, type StackPlace } from "../testbed/testbed.ts"
import { backedUpNotes, docker, open, redis, refusedWith, sql } from "./recreate-ground.ts"

const slot = 40

describe("a restore that is refused", () => {
  let place: StackPlace
  let id: string
  before(async () => {
    ;({ place, id } = await backedUpNotes(slot))
  })
  after(() => removeStack({ slot }))

  const name = (service: string) => `${place.project}-${service}-1`
  const state = (service: string) => docker("inspect", "-f", "{{.State.Status}}", name(service))

  it("has not stopped the app where a key store is a replica; a refused undo starts it again", async () => {
    await restore(open(place), { backupId: id })
    const started = () => docker("inspect", "-f", "{{.State.StartedAt}}", name("api"))
    const before = await started()
    redis(place, "replicaof", "127.0.0.1", "7777")
    try {
      await assert.rejects(restore(open(place), { backupId: id }), refusedWith("redis-replica"))
      assert.equal(await started(), before)
      await assert.rejects(undoRestore(open(place)), refusedWith("redis-replica"))
    } finally {
      redis(place, "replicaof", "no", "one")
    }
    assert.equal(await state("api"), "running")
    assert.equal(await readStoppedApp(open(place)), undefined)
  })

  it("of somebody's dump that is refused has not stopped the app; of a good one it comes in and the app runs", async () => {
    const started = () => docker("inspect", "-f", "{{.State.StartedAt}}", name("api"))
    const file = join(place.baseDir, "dump.sql")
    const options = { file, database: "healthcare", force: false, services: ["postgres"] }
    const before = await started()
    writeFileSync(file, "copy (select 1) to program 'true';\n")
    await assert.rejects(restoreForeign(open(place), options), { code: "foreign-dump" })
    await assert.rejects(restoreForeign(open(place), { ...options, file: `${file}.gone` }))
    assert.deepEqual([await state("api"), await started()], ["running", before])
    writeFileSync(file, await docker("exec", name("postgres"), "pg_dump", "-U", "app", "-d", "healthcare"))
    sql(place, "delete from notes")
    await restoreForeign(open(place), options)
    assert.deepEqual([sql(place, "select count(*) from notes"), await state("api")], ["30", "running"])
    assert.notEqual(await started(), before)
  })

  it("of a service that does not exist is told as that", async () => {
    const wrong = { code: "unknown-service", hint: /postgres/ }
    await assert.rejects(restore(open(place), { services: ["postgress"] }), wrong)
  })
})
