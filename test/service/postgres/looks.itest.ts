import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import type { VerifyOptions } from "../../../src/service/driver.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { ask } from "../../../src/service/postgres/inside.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround, until } from "./postgres-ground.ts"

const driver = postgresDriver()
const tables = readFileSync(new URL("./hostile-database.sql", import.meta.url), "utf8")

describe("looking at a Postgres server", () => {
  let ground: Ground
  let backup: ServiceBackup
  const verify = (service = ground.service, options: VerifyOptions = {}) =>
    driver.verify?.(service, ground.container(), backup, options) ?? assert.fail("no verify")
  before(async () => {
    ground = await openGround("looks", {
      major: 17,
      config: {
        databases: ["app"],
        "critical-tables": ["public.owners", "pets"],
        "sample-queries": ["select 1 from pets;"],
      },
    })
    ground.sql("app", tables)
    const target = { id: "backup-20260101-000000", stamp: "2026-01-01-000000" }
    backup =
      (await driver.backup?.(ground.service, ground.container(), target, directWork(ground.service.host))) ??
      assert.fail("no backup")
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  it("probes health with its numbers in one round trip", async () => {
    const health = await driver.probe(ground.service, ground.container())
    assert.equal(health.state, "healthy", JSON.stringify(health))
    assert.deepEqual(
      health.checks.map((check) => check.name),
      ["pg_isready", "select", "databases", "connections", "size"],
    )
    assert.equal(health.details["max-connections"], 100)
    assert.ok(Number(health.details["database-size-bytes"]) > 8_000_000)
  })

  it("says that the connections run out", async () => {
    ground.sql(
      "postgres",
      "alter system set max_connections = 8; alter system set superuser_reserved_connections = 3; alter system set reserved_connections = 0",
    )
    ground.docker("restart", "--signal", "SIGINT", ground.container().id)
    await ground.ready()
    const sessions = [1, 2, 3, 4, 5, 6, 7].map(() => ground.session("app", "select pg_sleep(120);"))
    const sleeping =
      "select count(*) from pg_stat_activity where query like '%pg_sleep(120)%' and pid <> pg_backend_pid()"
    await until(() => assert.equal(ground.sql("postgres", sleeping), "7"))
    const health = await driver.probe(ground.service, ground.container())
    for (const session of sessions) session.end()
    assert.notEqual(health.state, "healthy", JSON.stringify(health))
    ground.sql(
      "postgres",
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(120)%' and pid <> pg_backend_pid()",
    )
  })

  it("verifies tables, counts, foreign keys, queries and a write", async () => {
    const checks = await verify()
    assert.deepEqual(
      checks.filter((check) => check.state !== "ok"),
      [],
    )
    assert.deepEqual(
      checks.map((check) => check.name),
      [
        "postgres rows of app",
        "postgres table public.owners",
        "postgres table pets",
        "postgres foreign keys",
        "postgres round trip",
        "postgres sample query 1",
      ],
    )
  })

  it("names a lock that it waits for", async () => {
    const holder = ground.session("app", "begin; lock table owners;")
    const held = "select count(*) from pg_locks where relation = 'owners'::regclass and mode = 'AccessExclusiveLock'"
    await until(() => assert.equal(ground.sql("app", held), "1"))
    const asked = ask(ground.service, ground.container(), "select pg_relation_size('public.owners')", {
      databases: ["app"],
      limit: 2000,
    })
    await assert.rejects(asked, { code: "postgres-locked", message: /a table stayed locked by another session/ })
    holder.end()
  })

  it("tells fewer rows, empty and missing tables, broken keys and failing queries", async () => {
    ground.sql(
      "app",
      "delete from moods where ctid in (select ctid from moods limit 10); alter table pets disable trigger all; update pets set owner = 999 where id = 1",
    )
    const config = {
      ...ground.service.config,
      "critical-tables": ["public.nowhere"],
      "sample-queries": ["select 1 where false", "select nonsense", "delete from owners returning 1"],
    }
    const checks = await verify({ ...ground.service, config })
    const state = Object.fromEntries(checks.map((check) => [check.name, check.state]))
    assert.deepEqual(state, {
      "postgres rows of app": "warning",
      "postgres table public.nowhere": "failed",
      "postgres foreign keys": "failed",
      "postgres round trip": "ok",
      "postgres sample query 1": "failed",
      "postgres sample query 2": "failed",
      "postgres sample query 3": "failed",
    })
    const restored = await verify({ ...ground.service, config }, { restored: true })
    assert.deepEqual(
      restored.flatMap((check) => (check.state === "failed" ? [check.name] : [])),
      ["postgres foreign keys"],
    )
    assert.match(checks[0]?.detail ?? "", /public\.moods 390 instead of 400/)
    assert.equal(ground.sql("app", "select count(*) from owners"), "50", "a sample query cannot write")
    ground.sql("app", "drop table moods")
    assert.match((await verify())[0]?.detail ?? "", /tables are gone: public\.moods/)
  })

  it("leaves a fingerprint by its stop that it has again after the start, whoever writes then", async () => {
    const work = directWork(ground.service.host)
    const left = await driver.stop?.(ground.service, ground.container(), work)
    ground.docker("start", ground.container().id)
    await ground.ready()
    ground.sql("app", "delete from pets where id = 2")
    assert.deepEqual(await driver.fingerprint?.(ground.service, ground.container()), left)
  })

  it("stops by a fast shutdown although a client stays, and proves it; an unclean end is a failure", async () => {
    const client = ground.session("app", "begin; select 1;")
    const staying = "select count(*) from pg_stat_activity where state = 'idle in transaction'"
    await until(() => assert.equal(ground.sql("app", staying), "1"))
    const work = directWork(ground.service.host)
    await driver.stop?.(ground.service, ground.container(), work)
    client.end()
    assert.equal(ground.container().state, "exited")
    assert.equal((await driver.probe(ground.service, ground.container())).state, "unhealthy")
    await assert.rejects(driver.fingerprint?.(ground.service, ground.container()) ?? Promise.resolve(), {
      code: "postgres-not-running",
    })
    ground.docker("start", ground.container().id)
    await ground.ready()
    const killed = directWork(ground.service.host, {
      beforeStep: () => void ground.docker("kill", ground.container().id),
    })
    await assert.rejects(driver.stop?.(ground.service, ground.container(), killed) ?? Promise.resolve(), {
      code: "postgres-unclean-stop",
      message: /in production/,
    })
  })

  it("says that the data is unreadable when the server cannot start on it", async () => {
    const { id, imageId } = ground.container()
    const spoil = "dd if=/dev/zero of=/var/lib/postgresql/data/global/pg_control bs=64 count=1 conv=notrunc"
    ground.docker("run", "--rm", "--network", "none", "--volumes-from", id, "--entrypoint", "sh", imageId, "-c", spoil)
    ground.docker("start", id)
    await until(() => assert.equal(ground.container().state, "exited"))
    const work = directWork(ground.service.host)
    const target = { id: "backup-20260103-000000", stamp: "2026-01-03-000000" }
    const made = driver.backup?.(ground.service, ground.container(), target, work)
    await assert.rejects(made ?? Promise.resolve(), { code: "postgres-unreadable", message: /exited/ })
    assert.deepEqual(work.steps, [])
  })
})
