import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import type { DatabaseContents, ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { backupFiles, besides, type Ground, openGround, ownSessions, until } from "./postgres-ground.ts"

const driver = postgresDriver({ lockLimit: 3000, besideFrom: 0 })
const hostile = `we "ird' \\db\t=€ $1`
const tables = readFileSync(new URL("./hostile-database.sql", import.meta.url), "utf8")
let stamps = 0

for (const major of [15, 17] as const) {
  describe(`backup of PostgreSQL ${major}`, () => {
    let ground: Ground
    before(async () => {
      ground = await openGround(`backup-${major}`, { major })
      ground.sql("app", tables)
      ground.sql("app", `create database "${hostile.replaceAll('"', '""')}"`)
      ground.sql(hostile, "create table t as select generate_series(1, 10) i")
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })

    const warnings: string[] = []
    const backUp = (work = directWork(ground.service.host)): Promise<ServiceBackup> => {
      const stamp = `2026-01-01-${String(++stamps).padStart(6, "0")}`
      const warn = (sentence: string) => warnings.push(sentence)
      const made = driver.backup?.(ground.service, ground.container(), { id: `backup-${stamps}`, stamp, warn }, work)
      return made ?? assert.fail("no backup")
    }

    it("dumps every database with exact counts, names any of them safely, and those that it leaves out", async () => {
      ground.sql("app", "create database closed allow_connections false")
      ground.sql("app", `create database "mo'del" is_template true`)
      const backup = await backUp()
      assert.deepEqual(
        warnings.map((one) =>
          /^postgres: database (".*") is not .* it is (.*)\. .*: (ALTER DATABASE .*); /.exec(one)?.slice(1),
        ),
        [
          [`"closed"`, "closed to connections", `ALTER DATABASE "closed" ALLOW_CONNECTIONS true`],
          [`"mo'del"`, "a template", `ALTER DATABASE "mo'del" IS_TEMPLATE false`],
        ],
      )
      for (const [, statement = ""] of warnings.map((one) => /(ALTER DATABASE .*?);/.exec(one) ?? []))
        ground.sql("app", statement)
      ground.sql("app", `drop database closed; drop database "mo'del"`)
      const { contents } = backup
      assert.ok(contents.kind === "postgres")
      assert.equal(Math.floor(contents.version / 10_000), major)
      assert.deepEqual(contents.databases.map((one) => one.name).sort(), ["app", "postgres", hostile].sort())
      const app = database(contents.databases, "app")
      assert.equal(app.largeObjects, 2)
      const rows = Object.fromEntries(app.tables.map((one) => [`${one.schema}.${one.name}`, one.rows]))
      assert.deepEqual(rows, {
        "public.empty_columns": 1,
        "public.fleeting": 7,
        "public.guarded": 3,
        "public.line\nbreak": 2,
        "public.moods": 400,
        "public.owners": 50,
        "public.parted_1": 100,
        "public.parted_2": 100,
        "public.pets": 500,
        "we ird.ta'b\\\"l%s e": 3000,
      })
      assert.deepEqual(database(contents.databases, hostile).tables, [{ schema: "public", name: "t", rows: 10 }])
    })

    it("refuses a database that no pg_restore can restore, by name", { skip: major === 15 }, async () => {
      ground.sql("app", 'create database "two\nlines"')
      await assert.rejects(backUp(), { kind: "refused", code: "postgres-name", message: /two\\nlines/ })
      ground.sql("app", 'drop database "two\nlines"')
    })

    it("stores files that only their owner can read, as long and with the SHA-256 that it says, and nothing else", async () => {
      const before = new Set(backupFiles(ground))
      const { artifacts } = await backUp()
      for (const { file, bytes, sha256 } of artifacts) {
        const path = `${ground.backups}/${file}`
        assert.equal(statSync(path).mode & 0o777, 0o600)
        assert.equal(statSync(path).size, bytes)
        assert.equal(createHash("sha256").update(readFileSync(path)).digest("hex"), sha256)
      }
      assert.equal(statSync(`${ground.backups}/postgres`).mode & 0o777, 0o700)
      const made = backupFiles(ground).filter((one) => !before.has(one))
      assert.deepEqual(made.sort(), artifacts.map(({ file }) => file.replace("postgres/", "")).sort())
      assert.match(readFileSync(`${ground.backups}/${artifacts.at(-1)?.file}`, "utf8"), /CREATE ROLE reader;/)
    })

    it("counts what the dump holds although a writer goes on", async () => {
      ground.sql("app", "create table log (i serial, at timestamptz default clock_timestamp())")
      const writer = ground.session(
        "app",
        "do $$ begin for n in 1..3000 loop insert into log default values; commit; perform pg_sleep(0.001); end loop; end $$;",
      )
      await until(() => assert.notEqual(ground.sql("app", "select count(*) from log"), "0"))
      const { contents, artifacts } = await backUp()
      ground.sql(
        "app",
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'do %' and pid <> pg_backend_pid()",
      )
      writer.end()
      assert.ok(contents.kind === "postgres")
      const counted = database(contents.databases, "app").tables.find((one) => one.name === "log")?.rows ?? 0
      assert.ok(counted > 0)
      assert.equal(copiedRows(ground, artifacts[0]?.file ?? "", "log"), counted)
      ground.sql("app", "drop table log")
    })

    it("names who holds the lock on a table, and leaves no file and no session", { skip: major === 15 }, async () => {
      const before = backupFiles(ground)
      const holder = ground.session("app", "set application_name = 'long migration'; begin; lock table owners;")
      await until(() => assert.equal(locks(ground), "1"))
      await assert.rejects(backUp(), (error: Error) => {
        assert.equal((error as { code?: string }).code, "postgres-locked")
        assert.match(error.message, /database "app".*long migration \(pid \d+, user clinic/s)
        return true
      })
      holder.end()
      assert.deepEqual(backupFiles(ground), before)
      await until(() => assert.equal(ownSessions(ground), "0"))
    })

    it("leaves nothing running and no file when the dump is killed from outside", async () => {
      const before = backupFiles(ground)
      const holder = ground.session("app", "begin; lock table owners;")
      await until(() => assert.equal(locks(ground), "1"))
      const abort = new AbortController()
      const host = ground.service.host
      const work = {
        ...directWork(host),
        step: (_: string, command: Parameters<typeof host.run>[0]) => host.run(command, { signal: abort.signal }),
      }
      const made = backUp(work)
      made.catch(() => undefined)
      await until(() => assert.equal(waiting(ground), "1"))
      abort.abort()
      await assert.rejects(made)
      await until(() => assert.equal(ownSessions(ground), "0"))
      await until(() => assert.doesNotMatch(ground.docker("top", ground.container().id), /pg_dump|mktemp|sh -c/))
      await until(() => assert.deepEqual(besides(ground), []))
      holder.end()
      assert.deepEqual(
        backupFiles(ground).filter((one) => !one.endsWith(".partial")),
        before,
      )
    })

    it("fails by name when the server stops in the middle", { skip: major === 15 }, async () => {
      const before = backupFiles(ground)
      const holder = ground.session("app", "begin; lock table owners;")
      await until(() => assert.equal(locks(ground), "1"))
      const made = backUp()
      // Awaited below; it may fail before.
      made.catch(() => undefined)
      await until(() => assert.equal(waiting(ground), "1"))
      ground.docker("stop", "--signal", "SIGINT", ground.container().id)
      await assert.rejects(made, ({ code }: { code?: string }) => /^postgres-(stopped|not-running)$/.test(code ?? ""))
      holder.end()
      await assert.rejects(backUp(), { code: "postgres-not-running" })
      ground.docker("start", ground.container().id)
      await ground.ready()
      assert.deepEqual(
        backupFiles(ground),
        before.filter((one) => existsSync(`${ground.backups}/postgres/${one}`)),
      )
    })

    it("refuses a disk that is too small, and leaves nothing on one that fills up meanwhile", {
      skip: major === 15,
    }, async () => {
      const small = `${ground.backups}-small`
      const onSmall = { ...ground.service, backups: small }
      const target = { id: "backup-20260102-000000", stamp: "2026-01-02-000000" }
      const tmpfs = (size: string) => execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", small])
      mkdirSync(small)
      try {
        tmpfs("1m")
        const refused = driver.backup?.(onSmall, ground.container(), target, directWork(ground.service.host))
        await assert.rejects(refused ?? Promise.resolve(), {
          kind: "refused",
          code: "disk-space",
          message: /has 1048576 bytes free/,
        })
        execFileSync("umount", [small])
        tmpfs("60m")
        const work = directWork(ground.service.host, {
          beforeStep: () => spawnSync("dd", ["if=/dev/zero", `of=${small}/filler`, "bs=4k"]) && undefined,
        })
        await assert.rejects(driver.backup?.(onSmall, ground.container(), target, work) ?? Promise.resolve(), {
          code: "postgres-disk-full",
        })
        assert.deepEqual(readdirSync(`${small}/postgres`), [])
        await until(() => assert.equal(ownSessions(ground), "0"))
      } finally {
        execFileSync("umount", [small])
      }
    })

    it("does not believe a heap file that was cut", { skip: major === 15 }, async () => {
      ground.sql(
        "app",
        "create table cut as select g, repeat('x', 500) from generate_series(1, 2000) g; vacuum analyze cut; checkpoint;",
      )
      const path = ground.sql("app", "select pg_relation_filepath('cut')")
      ground.docker("exec", ground.container().id, "truncate", "-s", "81920", `/var/lib/postgresql/data/${path}`)
      await assert.rejects(backUp(), { code: "postgres-damaged", message: /app: public\.cut/ })
    })
  })
}

/** How many dumps wait for a lock. */
function waiting(ground: Ground): string {
  return ground.sql(
    "app",
    "select count(*) from pg_stat_activity where application_name like 'infra-actions%' and wait_event_type = 'Lock' and query like 'LOCK TABLE%'",
  )
}

function database(all: readonly DatabaseContents[], name: string): DatabaseContents {
  return all.find((one) => one.name === name) ?? assert.fail(`no ${name}`)
}

function locks(ground: Ground): string {
  return ground.sql(
    "app",
    "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'owners'::regclass and granted",
  )
}

/** Rows of a table as an archive holds them. */
function copiedRows(ground: Ground, file: string, table: string): number {
  const unpack = file.endsWith(".zst") ? "zstd -dc" : "cat"
  const { id } = ground.container()
  ground.docker("cp", `${ground.backups}/${file}`, `${id}:/tmp/archive`)
  const text = ground.docker("exec", id, "sh", "-c", `${unpack} /tmp/archive | pg_restore -a -t ${table} -f -`)
  const lines = text.split("\n")
  const from = lines.findIndex((line) => line.startsWith("COPY "))
  return lines.indexOf("\\.", from) - from - 1
}
