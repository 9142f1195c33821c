import assert from "node:assert/strict"
import { it } from "node:test"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { openGround } from "./postgres-ground.ts"

const driver = postgresDriver()

it("no backup of a server whose snapshots grow old, no restore into a standby", async () => {
  await using ground = await openGround("refusals", { major: 15, prefix: "t-pgx" })
  const work = directWork(ground.service.host)
  const target = { id: "backup-20260101-000000", stamp: "2026-01-01-000000" }
  const backUp = () => driver.backup?.(ground.service, ground.container(), target, work) ?? assert.fail("no backup")
  const restarted = () => {
    ground.docker("restart", ground.container().id)
    return ground.ready()
  }
  ground.sql("app", "alter system set old_snapshot_threshold = '1h'")
  await restarted()
  await assert.rejects(backUp(), {
    kind: "refused",
    code: "postgres-settings",
    message: /old_snapshot_threshold.* is 1h/,
  })
  ground.sql("app", "alter system reset old_snapshot_threshold")
  await restarted()
  const backup = await backUp()
  ground.docker("exec", ground.container().id, "sh", "-c", 'touch "$PGDATA/standby.signal"')
  await restarted()
  assert.equal(ground.sql("app", "select pg_is_in_recovery()"), "t")
  const restore = driver.restore?.(ground.service, ground.container(), backup, work)
  await assert.rejects(restore ?? assert.fail(), { kind: "refused", code: "postgres-standby" })
})
