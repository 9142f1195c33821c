import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { gunzipSync, gzipSync } from "node:zlib"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver()

/** An owner without rights, who waits for the superuser to turn his rows into text. */
const trap = `create role owner_of_it; create schema s authorization owner_of_it; set role owner_of_it;
create table s.t (id int, v text); insert into s.t select g, 'row ' || g from generate_series(1, 200) g;
create function s.evil(s.t) returns text language plpgsql as $$ begin raise 'ran as %', current_user; end $$;
create cast (s.t as text) with function s.evil(s.t);`

describe("a restore of SQL", () => {
  let ground: Ground
  let backup: ServiceBackup
  before(async () => {
    ground = await openGround("guards", { major: 15, prefix: "t-mpg", config: { databases: ["app"] } })
    ground.sql("app", trap)
    const target = {
      id: "backup-20260101-000000",
      stamp: "2026-01-01-000000",
      format: "plain",
      checksums: true,
    } as const
    const work = directWork(ground.service.host)
    backup = (await driver.backup?.(ground.service, ground.container(), target, work)) ?? assert.fail()
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  const restore = (held = backup) => {
    const work = directWork(ground.service.host)
    return { work, done: driver.restore?.(ground.service, ground.container(), held, work) ?? assert.fail() }
  }
  const owned = () => ground.docker("exec", ground.container().id, "find", "/tmp", "-name", "owned")
  const databases = () => ground.sql("app", "select string_agg(datname, ',' order by oid) from pg_database")
  const fileOf = (role: string) =>
    `${ground.backups}/${backup.artifacts.find((one) => one.role === role)?.file ?? assert.fail(`no ${role}`)}`

  it("is refused before anything stops, where the backup holds an extension that would not come back", async () => {
    const held = structuredClone(backup)
    assert.ok(held.contents.kind === "postgres")
    Object.assign(held.contents.databases[0] ?? {}, { extensions: [{ name: "pg_cron", version: "1.6" }] })
    const was = databases()
    const refused = { code: "postgres-unrestorable", message: /pg_cron of database "app"/ }
    const { work, done } = restore(held)
    await assert.rejects(done, refused)
    const how = { work, inPlace: false }
    await assert.rejects(
      driver.assertRestorable?.(ground.service, ground.container(), held, how) ?? assert.fail(),
      refused,
    )
    assert.equal(databases(), was)
  })

  it("reads no checksum through a function of the table's owner", () => {
    assert.equal(backup.contents.kind === "postgres" && backup.contents.databases[0]?.tables[0]?.rows, 200)
  })

  it("compares its SHA-256 before a byte of it reaches the server", async () => {
    const file = fileOf("database")
    const whole = readFileSync(file)
    const was = databases()
    const evil = gzipSync(Buffer.concat([Buffer.from("\\! touch /tmp/owned\n"), gunzipSync(whole)]))
    const tampered = Buffer.alloc(whole.length)
    evil.copy(tampered)
    try {
      for (const bytes of [evil, tampered]) {
        writeFileSync(file, bytes)
        await assert.rejects(restore().done, { code: "backup-damaged" })
        assert.deepEqual([owned(), databases()], ["", was])
      }
    } finally {
      writeFileSync(file, whole)
    }
  })

  for (const role of ["globals", "properties"])
    it(`compares the SHA-256 of its ${role} before anything is changed`, async () => {
      const whole = readFileSync(fileOf(role))
      const copy = Buffer.from(whole)
      copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1
      writeFileSync(fileOf(role), copy)
      try {
        const { work, done } = restore()
        await assert.rejects(done, { code: "backup-damaged", message: /SHA-256 differs/ })
        assert.deepEqual(work.steps, [])
      } finally {
        writeFileSync(fileOf(role), whole)
      }
    })

  it("adds up what the data and the stored file take of one disk", async () => {
    const [size = 0, free = 0] =
      ground
        .docker("exec", ground.container().id, "df", "-P", "-B1", "/var/lib/postgresql/data")
        .split("\n")[1]
        ?.split(/ +/)
        .flatMap((word, at) => (at === 1 || at === 3 ? [Number(word)] : [])) ?? assert.fail()
    const { contents } = backup
    if (contents.kind !== "postgres") assert.fail()
    const room = free - size * 0.05 - 2 ** 30
    const large = (data: number, file: number): ServiceBackup => ({
      ...backup,
      artifacts: backup.artifacts.map((one) => (one.role === "database" ? { ...one, bytes: Math.floor(file) } : one)),
      contents: { ...contents, databases: contents.databases.map((one) => ({ ...one, size: Math.floor(data) })) },
    })
    // Other tests write to the same disk meanwhile.
    const margin = Math.min(6e9, room / 3)
    assert.ok(margin > 1e9, `the testbed's disk has room for ${room} bytes only`)
    await assert.rejects(restore(large(room - margin, 2 * margin)).done, {
      kind: "refused",
      code: "disk-space",
      message: /5 %/,
    })
    await assert.rejects(restore(large(room + margin, 1)).done, { code: "disk-space" })
    await assert.rejects(restore(large(room - margin, 1)).done, { code: "backup-damaged" })
  })

  it("comes back whole, and analyzed", async () => {
    assert.equal((await restore().done).rows, 200)
    assert.equal(ground.sql("app", "select last_analyze is not null from pg_stat_all_tables where relname = 't'"), "t")
  })

  it("depends on no setting of its database, and neither does a backup", async () => {
    const target = (at: number) => ({
      id: `backup-2026010${at}-000000`,
      stamp: `2026-01-0${at}-000000`,
      checksums: true,
    })
    const backUp = async (at: number) =>
      (await driver.backup?.(ground.service, ground.container(), target(at), directWork(ground.service.host))) ??
      assert.fail()
    ground.sql(
      "app",
      "create table shown as select g, now() + g * interval '1 hour 1 us' as at, g * interval '1 day 2 hours' as long, sha256(g::text::bytea) bytes, g / 3.0::float8 part from generate_series(1, 50) g",
    )
    const tables = ({ contents }: ServiceBackup) =>
      contents.kind === "postgres" ? contents.databases.map((one) => one.tables) : assert.fail()
    const plain = await backUp(2)
    const settings = {
      ...{ statement_timeout: "1ms", lock_timeout: "1ms", idle_in_transaction_session_timeout: "1ms" },
      ...{ default_transaction_read_only: "on", datestyle: "SQL, DMY", intervalstyle: "iso_8601" },
      ...{ bytea_output: "escape", extra_float_digits: "-5", timezone: "Asia/Kathmandu", search_path: "s" },
    }
    for (const [name, value] of Object.entries(settings))
      ground.sql("postgres", `alter database app set ${name} = ${name === "search_path" ? value : `'${value}'`}`)
    const odd = await backUp(3)
    assert.deepEqual(tables(odd), tables(plain))
    assert.equal((await restore(odd).done).rows, 250)
    ground.sql("postgres", "alter database app reset all")
    ground.sql("app", "drop table shown")
  })

  it("names the versions of extensions that are others than the backup's", async () => {
    const held = structuredClone(backup)
    assert.ok(held.contents.kind === "postgres")
    const [extension] = held.contents.databases[0]?.extensions ?? []
    assert.equal(extension?.version, ground.sql("app", "select extversion from pg_extension where extname = 'plpgsql'"))
    assert.equal(held.contents.dataChecksums, ground.sql("app", "show data_checksums") === "on")
    Object.assign(extension ?? {}, { version: "0.9" })
    assert.match((await restore(held).done).kept, /extensions came in other versions: plpgsql 1\.0 \(was 0\.9\)/)
  })

  it("waits for prepared transactions, whose rows no dump has, and for what would follow the replaced database", async () => {
    ground.sql("app", "alter system set max_prepared_transactions = 5")
    ground.sql("app", "alter system set wal_level = logical")
    ground.docker("restart", ground.container().id)
    await ground.ready()
    const old = /"(app__old_\w+)"/.exec((await restore().done).kept)?.[1] ?? assert.fail()
    const was = databases()
    ground.sql("app", "begin; insert into s.t values (0, 'prepared'); prepare transaction 'half'")
    const target = { id: "backup-20260101-000001", stamp: "2026-01-01-000001" }
    const backingUp = driver.backup?.(ground.service, ground.container(), target, directWork(ground.service.host))
    await assert.rejects(backingUp ?? assert.fail(), { kind: "refused", code: "postgres-prepared", message: /"app"/ })
    await assert.rejects(restore().done, { kind: "refused", code: "postgres-prepared" })
    ground.sql("app", "rollback prepared 'half'")
    const slot = (database: string) =>
      ground.sql(database, "select from pg_create_logical_replication_slot('follower', 'pgoutput')")
    const drop = () => ground.sql("app", "select pg_drop_replication_slot('follower')")
    slot("app")
    const replication = { kind: "refused", code: "postgres-replication", message: /the replication slot "follower"/ }
    await assert.rejects(restore().done, replication)
    drop()
    slot(old)
    const remove = () =>
      driver.removeReplaced?.(ground.service, ground.container(), [old], directWork(ground.service.host))
    await assert.rejects(remove() ?? assert.fail(), replication)
    assert.equal(databases(), was)
    drop()
    await remove()
  })
})
