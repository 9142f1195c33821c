import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import type { DatabaseContents, ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround, until } from "./postgres-ground.ts"

const driver = postgresDriver({ besideFrom: 0 })
const tables = readFileSync(new URL("./hostile-database.sql", import.meta.url), "utf8")
const odd = `o'dd "name\\`
const oddSql = `"${odd.replaceAll('"', '""')}"`

for (const major of [15, 17] as const) {
  describe(`restore into PostgreSQL ${major}`, () => {
    let ground: Ground
    let backup: ServiceBackup
    before(async () => {
      ground = await openGround(`restore-${major}`, { major })
      ground.sql("app", tables)
      ground.sql("app", `create database ${oddSql} connection limit 9`)
      ground.sql(odd, "create table t as select generate_series(1, 10) i")
      ground.sql(
        "app",
        "alter database app set work_mem = '7MB'; comment on database app is 'the; app'; grant connect on database app to reader;",
      )
      ground.sql("app", "alter role reader in database app set search_path = owners, public")
      const work = directWork(ground.service.host)
      const target = { id: "backup-20260101-000000", stamp: "2026-01-01-000000" }
      backup = (await driver.backup?.(ground.service, ground.container(), target, work)) ?? assert.fail("no backup")
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })

    const restore = (held: ServiceBackup = backup, work = directWork(ground.service.host)) =>
      driver.restore?.(ground.service, ground.container(), held, work) ?? assert.fail("no restore")
    const names = () =>
      ground.sql("postgres", "select datname from pg_database where not datistemplate order by 1").split("\n")
    const hash = () => ground.sql("app", "select md5(string_agg(o::text, ',' order by id)) from owners o")

    it("brings back rows, roles and settings while clients reconnect, and keeps what it replaced", async () => {
      const hashBefore = hash()
      const settingsBefore = settings(ground)
      ground.sql(
        "app",
        "delete from pets; delete from owners where id > 20; drop table moods; alter database app reset work_mem;",
      )
      ground.sql("app", 'drop owned by reader; drop role "od;d ""role"; alter role clinic connection limit 50;')
      const client = reconnecting(ground)
      const report = await restore()
      assert.ok((await client.end()) > 0)
      assert.equal(report.tables, 11)
      assert.equal(report.rows, 4173)
      assert.match(report.kept, /"app__old_[0-9a-f]{8}"/)
      assert.equal(hash(), hashBefore)
      assert.equal(settings(ground), settingsBefore)
      assert.equal(ground.sql("app", "select count(*) from summary"), "50")
      assert.equal(
        ground.sql(
          "app",
          "select string_agg(convert_from(lo_get(oid), 'UTF8'), ',' order by oid) from pg_largeobject_metadata",
        ),
        "large object one,two",
      )
      assert.equal(ground.sql("app", `select rolconnlimit from pg_roles where rolname = 'od;d "role'`), "7")
      assert.equal(
        ground.sql("app", "select rolconnlimit from pg_roles where rolname = 'clinic'"),
        "50",
        "an existing role stays as it is",
      )
      assert.equal(ground.sql("app", `select pg_has_role('od;d "role', 'reader', 'member')`), "t")
      const old = names().find((name) => /^app__old_/.test(name)) ?? assert.fail("the old database is gone")
      assert.equal(ground.sql(old, "select count(*) from owners"), "20")
    })

    it("leaves kept databases out of the next backup", async () => {
      const target = { id: "backup-20260101-000001", stamp: "2026-01-01-000001" }
      const again = await driver.backup?.(ground.service, ground.container(), target, directWork(ground.service.host))
      assert.deepEqual(
        databases(again)
          .map((one) => one.name)
          .sort(),
        databases(backup)
          .map((one) => one.name)
          .sort(),
      )
    })

    it("does not touch the live databases when a count differs, and says which", { skip: major === 15 }, async () => {
      const before = names()
      const tampered = structuredClone(backup)
      const table = databases(tampered)
        .find((one) => one.name === "app")
        ?.tables.find((one) => one.name === "pets")
      Object.assign(table ?? {}, { rows: 501 })
      await assert.rejects(restore(tampered), {
        code: "restore-differs",
        message: /app\.public\.pets rows: 500 instead of 501/,
      })
      assert.deepEqual(names(), before)
      assert.equal(ground.sql("app", "select count(*) from pets"), "500")
    })

    it("notices a file that is cut or has a flipped byte", async () => {
      const file = `${ground.backups}/${backup.artifacts.find((one) => one.name === "app")?.file}`
      const before = names()
      copyFileSync(file, `${file}.whole`)
      truncateSync(file, readFileSync(file).length - 1)
      await assert.rejects(restore(), { code: "backup-damaged" })
      const bytes = readFileSync(`${file}.whole`)
      const middle = Math.floor(bytes.length / 2)
      bytes[middle] = (bytes[middle] ?? 0) ^ 1
      writeFileSync(file, bytes)
      await assert.rejects(restore(), { code: "backup-damaged" })
      copyFileSync(`${file}.whole`, file)
      assert.deepEqual(names(), before)
    })

    it("clears away what a killed restore left, and then restores", async () => {
      const host = ground.service.host
      const abort = new AbortController()
      // A restore of it lasts long enough to be killed in the middle.
      ground.sql("app", "create function nap() returns boolean language sql as 'select pg_sleep(3) is not null'")
      ground.sql("app", "create table slow as select 1 as i; alter table slow add check (nap())")
      const target = { id: "backup-20260101-000009", stamp: "2026-01-01-000009" }
      const slow =
        (await driver.backup?.(ground.service, ground.container(), target, directWork(host))) ?? assert.fail()
      const work = {
        ...directWork(host),
        async step(name: string, command: Parameters<typeof host.run>[0], options = {}) {
          if (name.startsWith("drop-")) throw new Error("killed: nobody cleans up")
          if (name === "restore-postgres-app") {
            const run = host.run(command, { ...options, signal: abort.signal })
            await until(() => assert.ok(names().some((one) => /^app__new_/.test(one))))
            abort.abort()
            return run
          }
          return host.run(command, options)
        },
      }
      await assert.rejects(restore(slow, work), { fault: "aborted" })
      await until(() => assert.doesNotMatch(ground.docker("top", ground.container().id), /pg_restore|sh -c/))
      assert.ok(names().some((one) => /__new_/.test(one)))
      await restore()
      assert.ok(!names().some((one) => /__new_/.test(one)))
      assert.equal(ground.docker("exec", ground.container().id, "find", "/tmp", "-name", "infra-actions*"), "")
    })

    it("never drops a database that is not its own", { skip: major === 15 }, async () => {
      ground.sql("postgres", 'create database "mine__new_0a1b2c3d"')
      ground.sql("mine__new_0a1b2c3d", "create table t as select repeat('x', 1000) from generate_series(1, 5000)")
      await restore()
      assert.equal(ground.sql("mine__new_0a1b2c3d", "select count(*) from t"), "5000")
    })

    it("puts a missing database back into a fresh server, and refuses an older major", {
      skip: major === 15,
    }, async () => {
      ground.sql("postgres", `drop database ${oddSql} with (force)`)
      const report = await restore()
      assert.doesNotMatch(report.kept, /o'dd/)
      assert.equal(ground.sql(odd, "select count(*) from t"), "10")
      const newer = structuredClone(backup)
      Object.assign(newer.contents, { version: 180_001 })
      await assert.rejects(restore(newer), { code: "postgres-version" })
    })
  })
}

function databases(backup: ServiceBackup | undefined): DatabaseContents[] {
  assert.ok(backup?.contents.kind === "postgres")
  return backup.contents.databases
}

/** Everything of a database that is not inside it. */
function settings(ground: Ground): string {
  return ground.sql(
    "app",
    `select d.datname, d.datacl, d.datconnlimit, d.encoding, d.datcollate, pg_get_userbyid(d.datdba), shobj_description(d.oid, 'pg_database'),
       (select array_agg((setrole::regrole, setconfig) order by setrole) from pg_db_role_setting where setdatabase = d.oid)
     from pg_database d where datname in ('app', $$${odd}$$) order by 1`,
  )
}

/** Four clients that connect again and again, until they are told to end; at most 60 s. They say how often they got in. */
function reconnecting(ground: Ground) {
  const loop = `i=0; until [ -e /tmp/stop ] || [ $i -gt 600 ]; do
    psql -qAtX -U clinic -d app -c 'select 1 from pg_sleep(0.3)' 2>/dev/null; sleep 0.1; i=$((i+1)); done`
  const child = spawn("docker", [
    "exec",
    ground.container().id,
    "sh",
    "-c",
    `rm -f /tmp/stop; for n in 1 2 3 4; do { ${loop}; } & done; wait`,
  ])
  let seen = ""
  child.stdout.on("data", (text) => {
    seen += text
  })
  return {
    async end() {
      ground.docker("exec", ground.container().id, "touch", "/tmp/stop")
      await new Promise((resolve) => child.once("close", resolve))
      return seen.length / 2
    },
  }
}
