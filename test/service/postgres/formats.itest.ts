import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { postgresFormats } from "../../../src/core/config.ts"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { execInside } from "../../../src/service/postgres/inside.ts"
import { storedAs } from "../../../src/service/postgres/packing.ts"
import { postgresHeadings, runByHand } from "../../support/by-hand.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver({ besideFrom: 0 })
const tables = readFileSync(new URL("./hostile-database.sql", import.meta.url), "utf8")

/** What no dump of the hostile database has by itself: an event trigger that forbids, a forced policy under a view. */
const awkward = `
comment on database app is 'the; app'; alter database app set work_mem = '7MB'; grant connect on database app to reader;
create table forced (id int); insert into forced values (1), (2); alter table forced enable row level security, force row level security;
create policy p on forced using (id = 1); create materialized view of_forced as select * from forced;
create function misleading() returns text language sql as $$ select '
COPY public.pets (id) FROM stdin;
1
\\.
' $$;
create function no() returns event_trigger language plpgsql as $$ begin raise 'no %', tg_tag; end $$;
create event trigger forbid on ddl_command_start when tag in ('REFRESH MATERIALIZED VIEW') execute function no();`

const simple = "alter database simple set work_mem = '7MB'; comment on database simple is 'a; b'"

const names: Record<string, RegExp> = {
  "custom 15": /-app\.dump\.zst$/,
  "custom 17": /-app\.dump$/,
  "directory 15": /-app\.dir\.tar$/,
  "directory 17": /-app\.dir\.tar$/,
  "plain 15": /^postgres\/postgres-\d{4}-\d\d-\d\d-\d{6}\.sql\.gz$/,
  "plain 17": /^postgres\/postgres-\d{4}-\d\d-\d\d-\d{6}\.sql\.gz$/,
}

const damages: Record<string, (whole: Buffer) => Buffer> = {
  truncated: (whole) => whole.subarray(0, Math.floor(whole.length * 0.6)),
  damaged: (whole) => {
    const copy = Buffer.from(whole)
    const middle = Math.floor(copy.length / 2)
    copy[middle] = (copy[middle] ?? 0) ^ 0x40
    return copy
  },
}

for (const major of [15, 17] as const) {
  describe(`every format of a backup of PostgreSQL ${major}`, () => {
    let ground: Ground
    before(async () => {
      ground = await openGround(`formats-${major}`, { major, prefix: "t-pgx", config: { databases: ["app"] } })
      ground.sql("app", tables)
      ground.sql("app", awkward)
      ground.sql("postgres", "create database simple")
      ground.sql("postgres", simple)
      ground.sql("simple", "create table t as select generate_series(1, 100) i")
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })
    const restore = (held: ServiceBackup) =>
      driver.restore?.(ground.service, ground.container(), held, directWork(ground.service.host)) ?? assert.fail()

    for (const [at, format] of postgresFormats.entries()) {
      let backup: ServiceBackup
      const database = () => {
        const found = backup.artifacts.find((one) => one.role === "database") ?? assert.fail("no database")
        return { ...found, path: `${ground.backups}/${found.file}` }
      }

      it(`${format} comes back whole, rows, settings and all`, async () => {
        const stamp = `2026-01-0${at + 1}-000000`
        const target = { id: "backup-20260101-000000", stamp, checksums: true, format }
        const work = directWork(ground.service.host)
        backup = (await driver.backup?.(ground.service, ground.container(), target, work)) ?? assert.fail("no backup")
        assert.match(database().file, names[`${format} ${major}`] ?? /^$/)
        for (const { file, bytes, sha256 } of backup.artifacts) {
          const stored = readFileSync(`${ground.backups}/${file}`)
          assert.deepEqual([stored.length, createHash("sha256").update(stored).digest("hex")], [bytes, sha256])
          assert.equal(statSync(`${ground.backups}/${file}`).mode & 0o777, 0o600)
        }
        const was = state(ground)
        ground.sql("app", "truncate pets; drop materialized view of_forced; alter database app reset work_mem")
        const report = await restore(backup)
        assert.equal(report.rows, 4165)
        assert.equal(state(ground), was)
        assert.equal(ground.docker("exec", ground.container().id, "find", "/tmp", "-name", "infra-actions*"), "")
      })

      it(`${format} comes back by hand, as the guide says`, async () => {
        const config = { ...ground.service.config, databases: ["simple"] }
        const target = { id: "backup-20260201-000000", stamp: `2026-02-0${at + 1}-000000`, format }
        const work = directWork(ground.service.host)
        const made = await driver.backup?.({ ...ground.service, config }, ground.container(), target, work)
        const file = made?.artifacts[0]?.file ?? assert.fail("no backup")
        const FILE = `${ground.backups}/${file}`
        const env = { CONTAINER: ground.container().id, FILE }
        runByHand(["A new database", postgresHeadings.find((one) => file.endsWith(one)) ?? assert.fail(file)], { env })
        assert.equal(ground.sql("by_hand", "select count(*), sum(i) from t"), "100|5050")
        runByHand(["In its place"], { env: { ...env, DATABASE: "simple" } })
        ground.sql("postgres", "drop database simple_before")
        if (file.endsWith(".zst")) execFileSync("zstd", ["--quiet", "-d", FILE])
        const properties = made?.artifacts.find(({ role }) => role === "properties")?.file ?? file.replace(/\.zst$/, "")
        const PROPERTIES = `${ground.backups}/${properties}`
        runByHand(["Owner, rights and settings"], { env: { ...env, PROPERTIES } })
        assert.equal(ground.sql("simple", "select setting from pg_settings where name = 'work_mem'"), "7168")
      })

      for (const [what, damage] of Object.entries(damages))
        it(`${format}, ${what}, is refused by the restore and by the proof`, async () => {
          const { path, file } = database()
          const whole = readFileSync(path)
          writeFileSync(path, damage(whole))
          try {
            await assert.rejects(restore(backup), ({ code }: { code?: string }) =>
              /^(backup-damaged|postgres-wrong-dump)$/.test(code ?? ""),
            )
            // An archive that pg_dump packs with zstd notices no flipped bit: its SHA-256, taken while writing, does.
            if (what === "truncated" || storedAs(file) === "sql" || storedAs(file) === "zst")
              await assert.rejects(prove(ground, file), /does not decode to its end/)
          } finally {
            writeFileSync(path, whole)
          }
          await prove(ground, file)
        })
    }
  })
}

/** What the backup itself does with the stored bytes. */
async function prove(ground: Ground, file: string): Promise<void> {
  const command = execInside("read", ground.container(), { name: "check", args: ["ia-mark", storedAs(file)] })
  const { stdout } = await ground.service.host.run(command, { input: readFileSync(`${ground.backups}/${file}`) })
  assert.match(stdout, /^ia-mark end 0$/m)
}

function state(ground: Ground): string {
  return ground.sql(
    "app",
    `select d.datacl, d.datdba::regrole, shobj_description(d.oid, 'pg_database'),
  (select array_agg((setrole::regrole, setconfig)) from pg_db_role_setting where setdatabase = d.oid),
  (select md5(string_agg(o::text, ',' order by id)) from owners o), (select count(*) from pets), (select count(*) from moods),
  (select count(*) from pg_largeobject_metadata), (select count(*) from pg_event_trigger), (select count(*) from of_forced) > 0,
  (select string_agg(conname || convalidated, ',' order by conname) from pg_constraint where contype = 'f')
from pg_database d where datname = 'app'`,
  )
}
