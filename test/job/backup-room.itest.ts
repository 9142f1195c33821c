import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { statfsSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { failure } from "../../src/core/errors.ts"
import { backup } from "../../src/job/backup.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import { open, sql } from "./recreate-ground.ts"

const slot = 4

describe("backups of a stack whose disk is small", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true, disk: "700m" })
  })
  after(() => removeStack({ slot }))

  it("make room before they begin where that is asked for, and keep the newest proven one when they fail", async () => {
    sql(
      place,
      "create table bulk as select md5(random()::text) || md5(random()::text) t from generate_series(1, 500000)",
    )
    const only = { services: ["postgres"] }
    const tools = (more: object, options = {}) => {
      const one = open(place, options)
      const retention = { last: 2, daily: 0, weekly: 0, monthly: 0 }
      return {
        ...one,
        config: { ...one.config, backup: { ...one.config.backup, retention, "max-row-loss": 1, ...more } },
      }
    }
    const ids = async () => (await tools({}).stores[0]?.list())?.backups.map(({ manifest }) => manifest.id)
    await backup(tools({}), only)
    const newest = await backup(tools({}), only)
    const databases = Number(sql(place, "select sum(pg_database_size(oid)) from pg_database where not datistemplate"))
    const { bavail, bsize } = statfsSync(place.baseDir)
    execFileSync("fallocate", ["-l", String(bavail * bsize - databases + 5_000_000), join(place.baseDir, "filler")])
    await assert.rejects(backup(tools({}), only), { code: "disk-space" })
    assert.equal((await ids())?.length, 2)

    const beforeStep = (step: string) => {
      if (step.startsWith("dump-postgres")) throw failure("postgres-dump-failed", "the server stopped")
    }
    const first = { "prune-first": true }
    await assert.rejects(backup(tools(first, { beforeStep }), only), { code: "postgres-dump-failed" })
    assert.deepEqual(await ids(), [newest.manifest.id], "the one that it would have pushed out is gone")
    assert.deepEqual(await tools({}).stores[0]?.verify(newest.manifest), [])
    await assert.rejects(backup(tools(first, { beforeStep }), only), { code: "postgres-dump-failed" })
    assert.deepEqual(await ids(), [newest.manifest.id], "however often it fails")
    const { manifest } = await backup(tools(first), only)
    assert.deepEqual(await ids(), [manifest.id, newest.manifest.id])
  })
})
