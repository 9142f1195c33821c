import assert from "node:assert/strict"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type DrillGround, drillGround } from "../support/drill-ground.ts"

interface Copy {
  readonly store: string
  readonly proven: string
  readonly drill?: Readonly<Record<string, unknown>>
}

describe("what drills and backups leave to be seen", () => {
  let ground: DrillGround
  before(async () => {
    ground = await drillGround(32)
    await ground.backUp()
  })
  after(() => ground[Symbol.asyncDispose]())

  async function list() {
    const run = await ground.act("backups")
    assert.deepEqual([run.code, run.outputs.status], [0, "success"], run.log)
    const [entry] = JSON.parse(run.outputs.backups ?? "[]") as readonly { readonly copies: readonly Copy[] }[]
    const copies = entry?.copies ?? []
    return { copies, proven: copies.map((one) => [one.store, one.proven, one.drill?.result]), summary: run.summary }
  }

  test("verify alarms when the newest backup of a store is older than the limit, and looks at nothing else", async () => {
    const inputs = { sections: "backups", "backup-max-age": "1h" }
    const young = await ground.act("verify", inputs)
    assert.equal(young.code, 0, young.log)
    assert.deepEqual([young.outputs["backup-status"], young.outputs["data-status"]], ["success", "skipped"])
    const old = await ground.act("verify", { ...inputs, "backup-max-age": "1s" })
    assert.equal(old.code, 1, old.log)
    assert.equal(old.outputs["backup-status"], "failure")
    assert.match(old.log, /newest backup in local: backup-\S+ is .* old, the limit is 1\.0s/)
    assert.match(old.log, /newest backup in s3: backup-/)
    const without = await ground.act("verify", { sections: "backups" })
    assert.deepEqual([without.code, without.outputs.reason], [1, "missing-input"])
  })

  test("a record that S3 does not take stays on the host and is told; the drill is good all the same", async () => {
    assert.deepEqual((await list()).proven, [
      ["local", "sha256", undefined],
      ["s3", "etag", undefined],
    ])
    const run = await ground.act("drill", {}, { env: { S3_SECRET_ACCESS_KEY: "another" } })
    assert.deepEqual([run.code, run.outputs["drill-status"]], [0, "success"], run.log)
    assert.match(run.log, /The record drill-\S+ is on the host only: S3 denied/)
    assert.equal(ground.records().length, 1)
  })

  test("the list says what each copy's last drill showed, from the records of both stores", async () => {
    const run = await ground.act("drill", { source: "s3" })
    assert.equal(run.code, 0, run.log)
    const { copies, proven, summary } = await list()
    assert.deepEqual(proven, [
      ["local", "restored", "success"],
      ["s3", "restored", "success"],
    ])
    assert.ok(copies.every(({ drill }) => Number(drill?.["rto-seconds"]) > 0 && Number(drill?.["rpo-seconds"]) > 0))
    assert.match(summary, /local: restored \(drill of [\dT:-]+Z: success, RTO .*, RPO .*\); s3: restored/)
    // The host's own are gone, as after its loss: S3 still has the one that it took.
    const metadata = join(ground.stack.baseDir, "backups/metadata")
    for (const name of readdirSync(metadata).filter((one) => one.startsWith("drill-"))) rmSync(join(metadata, name))
    assert.deepEqual((await list()).proven, [
      ["local", "sha256", undefined],
      ["s3", "restored", "success"],
    ])
  })
})
