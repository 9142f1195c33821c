import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver()
const odd = `o'dd "name\\ü $1`
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

describe("taking a restore back, and removing what it replaced", () => {
  let ground: Ground
  let backup: ServiceBackup
  before(async () => {
    ground = await openGround("undo", { major: 17, prefix: "t-pgx" })
    ground.sql("app", "create table t as select generate_series(1, 10) i; create role reader")
    ground.sql("app", "comment on database app is 'the; ''app'''; alter database app set work_mem = '7MB'")
    ground.sql("app", `create database ${quoted(odd)} connection limit 9`)
    ground.sql(odd, "create table t as select generate_series(1, 3) i")
    ground.sql("app", "create database made")
    const target = { id: "backup-20260101-000000", stamp: "2026-01-01-000000" }
    backup = (await driver.backup?.(ground.service, ground.container(), target, work())) ?? assert.fail("no backup")
    ground.sql("app", "insert into t select generate_series(11, 20); alter database app set work_mem = '9MB'")
    ground.sql("app", "grant connect on database app to reader; drop database made")
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  const work = () => directWork(ground.service.host)
  const restore = (by = work(), held = backup) =>
    driver.restore?.(ground.service, ground.container(), held, by) ?? assert.fail()
  const undo = (by = work()) => driver.undo?.(ground.service, ground.container(), by) ?? assert.fail()
  const replaced = async () => (await driver.replaced?.(ground.service, ground.container())) ?? assert.fail()
  const remove = (names: readonly string[]) =>
    driver.removeReplaced?.(ground.service, ground.container(), names, work()) ?? assert.fail()
  const rows = () => ground.sql("app", "select count(*) from t")
  const live = () =>
    ground.sql(
      "postgres",
      `select to_json(datname) from pg_database where not datistemplate and datname !~ '__old_' order by datname`,
    )
  const properties = () =>
    ground.sql(
      "app",
      "select datacl, shobj_description(oid, 'pg_database'), (select array_agg(setconfig) from pg_db_role_setting where setdatabase = oid) from pg_database where datname = 'app'",
    )

  it("refuses when there is nothing to take back", async () => {
    await assert.rejects(undo(), { kind: "refused", code: "nothing-to-undo" })
  })

  it("brings the replaced data back with its rights and settings, and the restored data once more after that", async () => {
    const [propertiesBefore, liveBefore] = [properties(), live()]
    await restore()
    const propertiesRestored = properties()
    assert.equal(rows(), "10")
    assert.notEqual(propertiesRestored, propertiesBefore)
    assert.match(live(), /"made"/)
    assert.match(await undo(), /"app".* of postgres as before the restore of 20.*is in "app__old_/s)
    assert.equal(rows(), "20")
    assert.equal(properties(), propertiesBefore)
    assert.equal(live(), liveBefore)
    assert.equal(ground.sql(odd, "select count(*) from t"), "3")
    await undo()
    assert.equal(rows(), "10")
    assert.equal(properties(), propertiesRestored)
    assert.match(live(), /"made"/)
    await undo()
    assert.equal(rows(), "20")
  })

  it("takes a restore back, and forth, by the run that made it", async () => {
    const same = work()
    await restore(same)
    await undo(same)
    assert.equal(rows(), "20")
    await undo(same)
    assert.equal(rows(), "10")
    await undo(same)
    assert.equal(rows(), "20")
  })

  it("takes a restore that failed back once, whoever asks again, and what that had brought is not to come back", async () => {
    const [restoring, settling] = [work(), work()]
    await restore(restoring)
    const cut = (ids: readonly string[]) => ({ ids, backup, dropped: false })
    const isIn = (ids: readonly string[]) =>
      driver.cutRestores?.isIn?.(ground.service, ground.container(), cut(ids)) ?? assert.fail()
    const undoCut = (ids: readonly string[], by = work()) =>
      driver.cutRestores?.undo(ground.service, ground.container(), cut(ids), by) ?? assert.fail()
    const ids = [settling.id, restoring.id]
    assert.deepEqual([await isIn(ids), rows()], [true, "10"])
    await undoCut(ids, settling)
    const again = ["the next run's", ...ids]
    assert.deepEqual([await isIn(again), rows()], [false, "20"])
    await undoCut(again)
    assert.deepEqual([await isIn(again), rows()], [false, "20"])
    const brought = (await replaced()).filter(({ run }) => run === settling.id)
    assert.deepEqual([brought.length > 0, brought.every(({ failed }) => failed)], [true, true])
    await assert.rejects(driver.undo?.(ground.service, ground.container(), work(), settling.id) ?? assert.fail(), {
      code: "nothing-to-undo",
    })
    assert.equal(rows(), "20")
  })

  it("changes nothing when one of the names cannot be given back", async () => {
    const names = () => ground.sql("postgres", "select string_agg(datname, ',' order by oid) from pg_database")
    // The session that renames is in template1, which therefore cannot be renamed.
    const before = names()
    const old = (await replaced()).findLast((one) => one.was === "app" && !one.failed)?.name ?? assert.fail()
    const comment = ground.sql(
      "postgres",
      `select shobj_description(oid, 'pg_database') from pg_database where datname = '${old}'`,
    )
    const wrong = comment.replace('"name":"app"', '"name":"template1"')
    ground.sql("postgres", `comment on database "${old}" is '${wrong.replaceAll("'", "''")}'`)
    await assert.rejects(undo(), { code: "postgres-undo-failed" })
    assert.equal(names(), before)
    assert.equal(rows(), "20")
    ground.sql("postgres", `comment on database "${old}" is '${comment.replaceAll("'", "''")}'`)
  })

  it("takes what somebody gave its name back in psql for live, although it bears the mark of what was replaced", async () => {
    const old = (await replaced()).findLast((one) => one.was === "app" && !one.failed)?.name ?? assert.fail()
    ground.sql("postgres", `alter database app rename to app_bad; alter database "${old}" rename to app`)
    const [warnings, target] = [[] as string[], { id: "backup-20260101-000001", stamp: "2026-01-01-000001" }]
    const warn = (sentence: string) => warnings.push(sentence)
    const made = await driver.backup?.(ground.service, ground.container(), { ...target, warn }, work())
    assert.ok(made?.contents.kind === "postgres" && made.contents.databases.some((one) => one.name === "app"))
    assert.match(
      warnings.join("\n"),
      /^postgres: the comment of database "app" [^\n]*COMMENT ON DATABASE "app" IS NULL;$/,
    )
    assert.ok(!(await replaced()).some((one) => one.name === "app"))
    await assert.rejects(remove(["app"]), { code: "not-replaced" })
    ground.sql("postgres", `alter database app rename to "${old}"; alter database app_bad rename to app`)
  })

  it("refuses a live database whose subscription runs or that has a replication slot", async () => {
    ground.sql("app", "create subscription s connection 'host=db.invalid' publication p with (connect = false)")
    ground.sql("app", "alter subscription s enable")
    await assert.rejects(restore(), { kind: "refused", code: "postgres-replication", message: /subscription "s"/ })
    await assert.rejects(undo(), { code: "postgres-replication" })
    ground.sql("app", "alter subscription s disable")
  })

  it("takes a restore back, and forth, where there was no database, and knows a cut one", async () => {
    const only = { ...backup, contents: withoutOthers(backup, "made") }
    const there = () => ground.sql("postgres", "select count(*) from pg_database where datname = 'made'")
    const leftovers = () =>
      ground.sql(
        "postgres",
        "select count(*) from pg_database where shobj_description(oid, 'pg_database') ~ 'restoring'",
      )
    ground.sql("postgres", "drop database if exists made")
    const cutRestores = driver.cutRestores ?? assert.fail()
    for (const take of ["undo", "cut"] as const) {
      const restoring = work()
      const cut = { ids: [restoring.id], backup: only, dropped: false }
      const isIn = () => cutRestores.isIn?.(ground.service, ground.container(), cut)
      assert.deepEqual([there(), await isIn()], ["0", false])
      assert.match((await restore(restoring, only)).kept, /There was nothing to replace/)
      ground.sql("made", "create table written_since as select 1")
      assert.deepEqual([there(), await isIn()], ["1", true])
      if (take === "cut") {
        await cutRestores.undo(ground.service, ground.container(), cut, work())
        await cutRestores.undo(ground.service, ground.container(), cut, work())
      } else {
        assert.match(
          await undo(),
          /^no "made" in postgres as before the restore of .*; what it had brought is in "made__/,
        )
        assert.deepEqual([there(), leftovers()], ["0", "0"])
        assert.match(await undo(), /^"made" of postgres as before the restore of [^;]*$/)
        assert.equal(ground.sql("made", "select count(*) from written_since"), "1")
        assert.match(await undo(), /^no "made" in postgres as before/)
      }
      assert.deepEqual([there(), leftovers(), await isIn()], ["0", "0", false])
      const kept = (await replaced()).filter(({ was }) => was === "made").at(-1) ?? assert.fail()
      assert.equal(kept.failed, take === "cut" || undefined)
      assert.equal(ground.sql(kept.name, "select count(*) from written_since"), "1")
    }
  })

  it("removes replaced databases of any name, subscriptions in them, and nothing that is not one", async () => {
    // The live one, with its idle subscription, becomes the replaced one.
    await restore()
    const before = live()
    const all = await replaced()
    assert.ok(all.some((one) => one.was === odd))
    assert.ok(all.every((one) => Date.parse(one.at ?? "") <= Date.now() && one.bytes > 0))
    await assert.rejects(remove(["app"]), { code: "not-replaced" })
    await assert.rejects(remove([all[0]?.name ?? "", "gone"]), { code: "not-replaced" })
    assert.equal((await replaced()).length, all.length)
    await remove(all.map((one) => one.name))
    assert.deepEqual(await replaced(), [])
    assert.equal(live(), before)
    assert.equal(rows(), "10")
    assert.equal(ground.sql("app", "select count(*) from pg_subscription"), "0")
  })
})

function withoutOthers({ contents }: ServiceBackup, name: string): ServiceBackup["contents"] {
  if (contents.kind !== "postgres") return contents
  return { ...contents, databases: contents.databases.filter((one) => one.name === name) }
}
