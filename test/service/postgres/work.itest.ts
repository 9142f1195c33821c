import assert from "node:assert/strict"
import { existsSync, readdirSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { formatBytes } from "../../../src/core/bytes.ts"
import type { Layout } from "../../../src/core/layout.ts"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { claimLease } from "../../../src/host/claim-lease.ts"
import type { Lease } from "../../../src/host/lease.ts"
import { openWork } from "../../../src/host/open-work.ts"
import { planWork } from "../../../src/host/plan-work.ts"
import { readOnlyHost } from "../../../src/host/recording.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { sh } from "../../../src/shell/command.ts"
import { type Ground, openGround, until } from "./postgres-ground.ts"

const driver = postgresDriver()
const held =
  "select count(*) from pg_locks where relation = 'locked'::regclass and mode = 'AccessExclusiveLock' and granted"
const holder = { run: "1", attempt: "1", actor: "test", purpose: "test", url: "" }

describe("the Postgres driver under the keeper", () => {
  let ground: Ground
  let lease: Lease
  let places: Pick<Layout, "work" | "journal">
  let backup: ServiceBackup
  before(async () => {
    ground = await openGround("work", { major: 15 })
    const state = `${ground.backups}-state`
    places = { work: `${state}/work`, journal: `${state}/journal.jsonl` }
    lease = await claimLease(ground.service.host, { directory: `${state}/lock`, holder })
    ground.sql(
      "app",
      "create table t as select generate_series(1, 20) i; create role extra login password 'never shown'",
    )
  })
  after(async () => {
    await using _ = ground
    await lease.release()
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })
  const target = (second: number) => ({ id: `backup-2026010${second}-000000`, stamp: `2026-01-0${second}-000000` })
  const open = (id: string, signal?: AbortSignal) =>
    openWork(ground.service.host, { lease, layout: places, id, ...(signal && { signal }) })

  it("backs up and restores through detached steps, and leaves no secret in their folders", async () => {
    const made = await driver.backup?.(ground.service, ground.container(), target(1), open("run-1"))
    backup = made ?? assert.fail("no backup")
    ground.sql("app", "drop table t; drop role extra")
    const report = await driver.restore?.(ground.service, ground.container(), backup, open("run-2"))
    assert.equal(report?.rows, 20)
    assert.equal(ground.sql("app", "select count(*) from t"), "20")
    assert.equal(
      ground.sql("app", "select count(*) from pg_authid where rolname = 'extra' and rolpassword like 'SCRAM%'"),
      "1",
    )
    const { stdout } = await ground.service.host.run(sh`grep -rl SCRAM-SHA ${places.work} ${places.journal} || :`)
    assert.equal(stdout, "")
  })

  it("tells how far a long dump has come", async () => {
    const shown: string[] = []
    ground.sql("app", "create table locked as select generate_series(1, 9)")
    const session = ground.session("app", "begin; lock table locked;")
    await until(() => assert.notEqual(ground.sql("app", held), "0"))
    const work = openWork(ground.service.host, { lease, layout: places, id: "run-4", log: (line) => shown.push(line) })
    const earlier = { ...target(4), earlier: [backup] }
    const made = driver.backup?.(ground.service, ground.container(), earlier, work)
    await until(() => assert.match(shown.join("\n"), /^dump-postgres-app: \d/m)).finally(() => session.end())
    await made
    const bytes = backup.artifacts.find((one) => one.name === "app")?.bytes ?? 0
    assert.match(shown.join("\n"), new RegExp(`^dump-postgres-app: \\d.* of about ${formatBytes(bytes)}, .*B/s`, "m"))
    ground.sql("app", "drop table locked")
  })

  it("leaves a dump that was cut off from us to end by itself, whole", async () => {
    const abort = new AbortController()
    const before = readdirSync(`${ground.backups}/postgres`)
    // So that it cannot end before it is cut off.
    ground.sql("app", "create table locked as select generate_series(1, 9)")
    const session = ground.session("app", "begin; lock table locked;")
    await until(() => assert.notEqual(ground.sql("app", held), "0"))
    const made = driver.backup?.(ground.service, ground.container(), target(2), open("run-3", abort.signal))
    await until(() => assert.ok(readdirSync(`${ground.backups}/postgres`).length > before.length))
    abort.abort()
    await assert.rejects(made ?? Promise.resolve(), { fault: "aborted" })
    session.end()
    await until(() =>
      assert.deepEqual(
        readdirSync(`${ground.backups}/postgres`).filter((file) => file.endsWith(".partial")),
        [],
      ),
    )
    await until(() =>
      assert.equal(
        ground.sql("postgres", "select count(*) from pg_stat_activity where application_name like 'infra-actions%'"),
        "0",
      ),
    )
    ground.sql("app", "drop table locked")
  })

  it("goes through a dry run of backup and restore without a change", async () => {
    const shown: string[] = []
    const service = { ...ground.service, host: readOnlyHost(ground.service.host), backups: `${ground.backups}-none` }
    const work = planWork({ id: "plan-1", log: (line) => shown.push(line) })
    const planned = await driver.backup?.(service, ground.container(), target(3), work)
    assert.equal(planned?.artifacts.length, 3)
    assert.equal((await driver.restore?.(service, ground.container(), backup, work))?.rows, 20)
    assert.ok(!existsSync(service.backups))
    const steps = shown.filter((line) => line.startsWith("would do ")).map((line) => line.split(/[ :]/)[2])
    assert.deepEqual(steps, [
      "dump-postgres-app",
      "dump-postgres-postgres",
      "dump-postgres-globals",
      "restore-postgres-app",
      "restore-postgres-postgres",
      "swap-postgres",
    ])
  })
})
