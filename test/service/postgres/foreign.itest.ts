import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { gunzipSync } from "node:zlib"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { restoringRole } from "../../../src/service/postgres/restoring-roles.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver()
const content = `
create role owner_of_it; create extension pgcrypto; create schema s authorization owner_of_it;
create table s.t (id int primary key, v text); insert into s.t select g, repeat('x', g) from generate_series(1, 300) g;
alter table s.t owner to owner_of_it; grant select on s.t to owner_of_it;
create table "ta'b ""le" (i serial, e text default '\\! touch /tmp/x'); insert into "ta'b ""le" (e) values (E'\\r estrict'), (E'\\\\.'), ('a');
create function f() returns int language plpgsql as $x$ begin return 1; -- ; $$
end $x$; create view v as select id from s.t; select lo_from_bytea(0, 'large');`

describe("restoring a dump that somebody else made", () => {
  let ground: Ground
  let folder: string
  before(async () => {
    ground = await openGround("foreign", { major: 17, prefix: "t-pgx" })
    folder = ground.backups.replace(/backups$/, "")
    ground.sql("app", content)
    const make = (command: string) =>
      execFileSync("sh", ["-c", `docker exec ${ground.container().id} sh -c '${command}'`], { maxBuffer: 1 << 26 })
    writeFileSync(`${folder}plain.sql`, make("pg_dump -U clinic app"))
    writeFileSync(`${folder}plain.sql.gz`, make("pg_dump -U clinic app | gzip"))
    writeFileSync(`${folder}plain.sql.zst`, make("pg_dump -U clinic app | zstd"))
    writeFileSync(`${folder}packed.dump`, make("pg_dump -U clinic -Fc --compress=zstd:3 app"))
    writeFileSync(`${folder}custom.dump`, make("pg_dump -U clinic -Fc app"))
    writeFileSync(`${folder}tar.dump`, make("pg_dump -U clinic -Ft app"))
    writeFileSync(`${folder}all.sql`, make("pg_dumpall -U clinic"))
    make("pg_dump -U clinic -Fd -f /tmp/folder app")
    ground.docker("cp", `${ground.container().id}:/tmp/folder`, `${folder}folder`)
    ground.sql("postgres", "create database other")
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  const restore = (file: string, { database = "copy", force = false } = {}) =>
    driver.restoreForeign?.(
      ground.service,
      ground.container(),
      { file: file.startsWith("/") ? file : `${folder}${file}`, database, force, begins: async () => undefined },
      directWork(ground.service.host),
    ) ?? assert.fail()
  const summary = (database: string) =>
    ground.sql(
      database,
      `select (select md5(string_agg(t::text, ',' order by id)) from s.t t), (select md5(string_agg(t::text, ',' order by i)) from "ta'b ""le" t), f(), (select count(*) from v), (select count(*) from pg_largeobject_metadata)`,
    )
  const names = () => ground.sql("postgres", "select string_agg(datname, ',' order by oid) from pg_database")
  const roles = () => ground.sql("postgres", "select string_agg(rolname, ',' order by oid) from pg_roles")

  for (const file of ["plain.sql", "plain.sql.gz", "plain.sql.zst", "custom.dump", "packed.dump", "tar.dump", "folder"])
    it(`${file}, as a role without rights over the server`, async () => {
      const report = await restore(file)
      assert.equal(summary("copy"), summary("app"))
      assert.match(report.kept, /what came in belongs to the role "restored_/)
      assert.equal(report.tables, 2)
      assert.equal(report.rows, 303)
      const owner = ground.sql(
        "copy",
        "select rolsuper, rolcanlogin, rolcreaterole, rolname from pg_roles where oid = (select relowner from pg_class where oid = 's.t'::regclass)",
      )
      assert.match(owner, /^f\|f\|f\|restored_/)
    })

  it("one database of a pg_dumpall, and says what there is", async () => {
    await assert.rejects(restore("all.sql"), { code: "unknown-database", hint: /app/ })
    const before = summary("app")
    const report = await restore("all.sql", { database: "app" })
    assert.equal(summary("app"), before)
    assert.match(report.kept, /"app__old_/)
  })

  it("as the superuser when forced, with owners", async () => {
    await restore("plain.sql", { force: true })
    assert.equal(summary("copy"), summary("app"))
    assert.equal(
      ground.sql("copy", "select relowner::regrole from pg_class where oid = 's.t'::regclass"),
      "owner_of_it",
    )
  })

  it("locks out and drops the roles that a killed one left, but for those that something belongs to", async () => {
    const state = (role: string) =>
      ground.sql(
        "postgres",
        `select rolcanlogin, shobj_description(oid, 'pg_authid') is null from pg_roles where rolname = '${role}'`,
      )
    for (const role of ["restored_left", "restored_owner"])
      ground.sql("other", `create role ${role} login password 'x'; comment on role ${role} is '${restoringRole}'`)
    ground.sql("other", "create table theirs (i int); alter table theirs owner to restored_owner")
    const { kept } = await restore("plain.sql")
    assert.deepEqual([state("restored_left"), state("restored_owner")], ["", "f|t"])
    assert.equal(state(/the role "(restored_\w+)"/.exec(kept)?.[1] ?? assert.fail(kept)), "f|t")
    ground.sql("other", "drop table theirs; drop role restored_owner")
  })

  it("makes the roles it lacks, without login", async () => {
    const text = readFileSync(`${folder}plain.sql`, "utf8").replaceAll("owner_of_it", "unknown_here")
    writeFileSync(`${folder}roles.sql`, text)
    assert.match((await restore("roles.sql")).kept, /roles made without login: "unknown_here"/)
    assert.equal(ground.sql("copy", "select rolcanlogin from pg_roles where rolname = 'unknown_here'"), "f")
  })

  for (const [what, script, message] of [
    ["a psql command", "select 1;\n\\! touch /tmp/owned\n", /command of psql.*line 2/],
    ["COPY PROGRAM", "copy (select 1) to program 'touch /tmp/owned';\n", /runs a program/],
    ["a forged restrict", "\\restrict `touch /tmp/owned`\n", /forged/],
    ["an extension that is not there", "create extension if not exists not_there;\n", /extensions not_there/],
    [
      "an extension that no restore brings back",
      "create extension pg_cron;\n",
      /pg_cron of database "copy" \(it can only/,
    ],
    [
      "a newer major",
      "-- Dumped from database version 99.1\nselect 1;\n-- PostgreSQL database dump complete\n",
      /PostgreSQL 99/,
    ],
    ["an empty file", "", /bad\.sql holds no table/],
    ["one that makes nothing", "select 1;\n", /holds no table/],
    ["one that is cut off", "-- Dumped from database version 17.1\nselect 1;\n", /cut off/],
  ] as const)
    it(`refuses ${what} before anything is made`, async () => {
      const before = [names(), roles()]
      writeFileSync(`${folder}bad.sql`, script)
      await assert.rejects(restore("bad.sql"), { kind: "refused", code: "foreign-dump", message })
      assert.deepEqual([names(), roles()], before)
    })

  it("refuses tables without any row for a live database, and a tar file that is not pg_dump's, and says so", async () => {
    writeFileSync(`${folder}bare.sql`, "create table t (i int);\n")
    await assert.rejects(restore("bare.sql", { database: "app" }), {
      message: /bare\.sql holds tables without any row/,
    })
    await restore("bare.sql", { database: "bare" })
    execFileSync("tar", ["-cf", `${folder}packed.tar`, "-C", `${folder}folder`, "."])
    await assert.rejects(restore("packed.tar"), { kind: "input", message: /unpack it, and give the folder/ })
    ground.sql("postgres", "drop database bare")
  })

  it("what no scanner sees is stopped by the role, and nothing is left", async () => {
    const before = [names(), roles()]
    writeFileSync(
      `${folder}hidden.sql`,
      "create table t (i int);\ndo $$ begin execute 'co' || 'py (select 1) to pro' || 'gram ''touch /tmp/owned'''; end $$;\n",
    )
    await assert.rejects(restore("hidden.sql"), {
      kind: "refused",
      code: "foreign-dump",
      message: /permission denied to COPY/,
    })
    writeFileSync(`${folder}hidden.sql`, "reset session authorization;\nset role clinic;\n")
    await assert.rejects(restore("hidden.sql"), { code: "foreign-dump", message: /permission denied to set role/ })
    assert.deepEqual([names(), roles()], before)
    assert.throws(() => ground.docker("exec", ground.container().id, "ls", "/tmp/owned"))
  })

  it("refuses what /tmp of the container has no room for, before anything is made", async () => {
    const before = [names(), roles()]
    const rows = `${"x".repeat(1023)}\n`.repeat(3000)
    writeFileSync(`${folder}large.sql`, `create table t (v text);\ncopy t from stdin;\n${rows}\\.\n`)
    const pid = String(ground.container().pid)
    const inside = (...words: readonly string[]) => execFileSync("nsenter", ["-t", pid, "-m", ...words])
    inside("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", "/tmp")
    try {
      await assert.rejects(restore("large.sql"), { kind: "refused", code: "disk-space", message: /\/tmp/ })
    } finally {
      inside("umount", "/tmp")
    }
    assert.deepEqual([names(), roles()], before)
    assert.equal((await restore("large.sql")).rows, 3000)
  })

  it("rows that the file holds and that did not come in are a failure; of a partitioned table they are not compared, and told", async () => {
    const before = [names(), roles()]
    const swallow = "create function f() returns trigger language plpgsql as $$ begin return null; end $$;"
    const table = "set search_path = public;\ncreate table t (v text);\n"
    const rows = "copy t from stdin;\na\nb\n\\.\n"
    writeFileSync(
      `${folder}rows.sql`,
      `${table}${swallow}\ncreate trigger g before insert on t for each row execute function f();\n${rows}`,
    )
    await assert.rejects(restore("rows.sql"), { code: "restore-differs", message: /t: 0 rows instead of 2/ })
    assert.deepEqual([names(), roles()], before)
    const parts = "create table t (v text) partition by list (v);\ncreate table t_all partition of t default;\n"
    writeFileSync(`${folder}rows.sql`, `${parts}${rows}`)
    const report = await restore("rows.sql")
    assert.equal(report.rows, 2)
    assert.match(report.kept, /rows not compared: t\.$/)
    writeFileSync(
      `${folder}rows.sql`,
      `${table}insert into t values ('a'), ('b');
`,
    )
    assert.match((await restore("rows.sql")).kept, /rows not compared: all, since the file has no COPY\.$/)
  })

  it("says so when there is no such file", async () => {
    await assert.rejects(restore("/nowhere.sql"), { kind: "input", code: "file-unreadable" })
  })

  it("a dump that fails at its own statements leaves nothing, also when forced", async () => {
    // Its event trigger forbids the refreshes that stand behind it.
    const dump = gunzipSync(readFileSync(new URL("../../core/dumps/postgres-15.sql.gz", import.meta.url)))
    writeFileSync(`${folder}15.sql`, dump)
    const before = [names(), roles()]
    await assert.rejects(restore("15.sql", { force: true }), {
      code: "foreign-restore-failed",
      message: /no REFRESH MATERIALIZED VIEW here/,
    })
    assert.deepEqual([names(), roles()], before)
  })
})
