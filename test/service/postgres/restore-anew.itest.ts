import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver({ besideFrom: 0 })

describe("a restore that must begin anew", () => {
  let ground: Ground
  before(async () => {
    ground = await openGround("restore-anew", { major: 17 })
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  const serviceOf = (database: string) => ({
    ...ground.service,
    config: { ...ground.service.config, databases: [database] },
  })
  const backup = (database: string, id: string) =>
    driver.backup?.(
      serviceOf(database),
      ground.container(),
      { id: `backup-20260101-0000${id}`, stamp: `2026-01-01-0000${id}` },
      directWork(ground.service.host),
    ) ?? assert.fail("no backup")
  const restore = (held: ServiceBackup) =>
    driver.restore?.(ground.service, ground.container(), held, directWork(ground.service.host)) ?? assert.fail()
  const names = () => ground.sql("postgres", "select datname from pg_database order by 1").split("\n")
  const drop = (database: string) => {
    for (const name of names().filter((one) => one.startsWith(database)))
      ground.sql("postgres", `drop database ${name}`)
  }
  const makeTablespace = (name: string, folder: string) => {
    ground.docker("exec", "--user", "postgres", ground.container().id, "mkdir", folder)
    ground.sql("postgres", `create tablespace "${name}" location '${folder}'`)
  }

  it("brings a database back into its own tablespace, and into the default one where that is missing", async () => {
    makeTablespace("its own", "/tmp/own")
    ground.sql("postgres", `create database placed tablespace "its own"`)
    ground.sql("placed", "create table t as select generate_series(1, 10) i")
    const held = await backup("placed", "11")
    const lies = () =>
      ground.sql(
        "placed",
        "select spcname, (select count(*) from t) from pg_database d join pg_tablespace s on s.oid = dattablespace where datname = current_database()",
      )
    assert.equal((await restore(held)).displaced, undefined)
    assert.equal(lies(), "its own|10")
    drop("placed")
    ground.sql("postgres", `drop tablespace "its own"`)
    assert.match((await restore(held)).displaced ?? "", /: "placed": the database itself \(its own\)$/)
    assert.equal(lies(), "pg_default|10")
  })

  it("brings tables and indexes back into the default tablespace where theirs is missing and another is there", async () => {
    makeTablespace("of rows", "/tmp/rows")
    makeTablespace("of indexes", "/tmp/indexes")
    ground.sql("postgres", "create database spread")
    ground.sql("spread", `create table t tablespace "of rows" as select generate_series(1, 10) i`)
    ground.sql("spread", `create index of_t on t (i) tablespace "of indexes"`)
    const held = await backup("spread", "12")
    const lies = () =>
      ground.sql(
        "spread",
        "select count(*) from t union all select count(*) from pg_class where relname in ('t', 'of_t') and reltablespace <> 0",
      )
    assert.equal((await restore(held)).displaced, undefined)
    assert.equal(lies(), "10\n2")
    for (const missing of ["of indexes", "of rows", "of others"]) {
      drop("spread")
      ground.sql("postgres", `drop tablespace "${missing}"`)
      if (missing === "of rows") makeTablespace("of others", "/tmp/others")
      const { displaced = "" } = await restore(held)
      assert.match(
        displaced,
        /default tablespace.*: "spread": public\.t \(of rows\); "spread": public\.of_t \(of indexes\)$/,
      )
      assert.equal(lies(), "10\n0")
    }
    assert.ok(!names().some((one) => /__new_/.test(one)))
  })

  it("goes on by one job when several have dead-locked", async () => {
    ground.sql(
      "app",
      `create function turns(one bigint, other bigint) returns bigint immutable language plpgsql as
         'begin perform pg_advisory_xact_lock(one), pg_sleep(1); perform pg_advisory_xact_lock(other); return one; end';
       create table ping as select 1 as i; create index on ping (turns(i, i + 1));
       create table pong as select 2 as i; create index on pong (turns(i, i - 1));`,
    )
    await restore(await backup("app", "10"))
    assert.match(ground.serverLog(), /deadlock detected/)
    assert.equal(ground.sql("app", "select count(*) from pg_indexes where tablename in ('ping', 'pong')"), "2")
    assert.ok(!names().some((one) => /__new_/.test(one)))
  })
})
