import assert from "node:assert/strict"
import { cpSync, readFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround, until } from "./postgres-ground.ts"

const driver = postgresDriver()
const everything = readFileSync(new URL("./conformance.sql", import.meta.url), "utf8")

/** What lets two majors be compared: their dumps are worded differently, what these say is not. */
const catalogs = {
  // The right to MAINTAIN, m, is new in 17.
  relations: `select n.nspname, c.relname, c.relkind, c.relpersistence, pg_get_userbyid(c.relowner), replace(c.relacl::text, 'Dxtm', 'Dxt'), c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relispopulated, obj_description(c.oid, 'pg_class') from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
  columns: `select a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attacl::text, a.attstorage, a.attcompression from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where n.nspname in ('clinic', 'we ird') and a.attnum > 0 and not a.attisdropped`,
  constraints:
    "select conrelid::regclass::text, conname, contype, convalidated, pg_get_constraintdef(oid) from pg_constraint where connamespace::regnamespace::text in ('clinic', '\"we ird\"') and contype <> 'n'",
  indexes: "select indexdef from pg_indexes where schemaname in ('clinic', 'we ird')",
  policies: "select * from pg_policies",
  triggers:
    "select tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
  "event triggers":
    "select evtname, evtevent, evtenabled, evttags, evtowner::regrole, obj_description(oid) from pg_event_trigger",
  sequences:
    "select schemaname, sequencename, sequenceowner, data_type, start_value, min_value, max_value, increment_by, cycle, last_value from pg_sequences where schemaname <> 'writer'",
  functions:
    "select proname, pg_get_functiondef(oid), proacl::text from pg_proc where pronamespace = 'clinic'::regnamespace and prokind <> 'a'",
  // PostgreSQL 15 leaves a multirange type to whoever restores it; later ones give it to the range type's owner.
  types:
    "select typname, typtype, pg_get_userbyid(typowner), (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid) from pg_type t where typnamespace = 'clinic'::regnamespace and typname !~ '_multirange$'",
  rules: "select schemaname, tablename, rulename, definition from pg_rules where schemaname = 'clinic'",
  aggregates:
    "select aggfnoid::regprocedure, aggtransfn, aggtranstype::regtype, agginitval from pg_aggregate join pg_proc p on p.oid = aggfnoid where pronamespace = 'clinic'::regnamespace",
  operators:
    "select oprname, oprleft::regtype, oprright::regtype, oprcode, oprowner::regrole from pg_operator where oprnamespace = 'clinic'::regnamespace",
  casts:
    "select castsource::regtype, casttarget::regtype, castcontext, castmethod from pg_cast where castsource = 'clinic.address'::regtype",
  collations:
    "select collname, collprovider, collisdeterministic, coalesce(to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'colllocale') from pg_collation c where collnamespace = 'clinic'::regnamespace",
  "foreign servers":
    "select s.srvname, srvowner::regrole, srvoptions, fdwname, usename, umoptions from pg_user_mappings join pg_foreign_server s on s.oid = srvid join pg_foreign_data_wrapper w on w.oid = srvfdw",
  "foreign tables": "select ftrelid::regclass, ftoptions from pg_foreign_table",
  "text search":
    "select dictname, dictinitoption, null from pg_ts_dict where dictnamespace = 'clinic'::regnamespace union all select cfgname, string_agg(mapdict::regdictionary || ' ' || maptokentype, ',' order by maptokentype, mapseqno), cfgowner::regrole from pg_ts_config c join pg_ts_config_map on mapcfg = c.oid where cfgnamespace = 'clinic'::regnamespace group by c.oid",
  // The text of views is worded differently by each major: what they show is not.
  views:
    "select 'names', count(*), md5(string_agg(n::text, ',' order by n::text)) from clinic.names n union all select 'countdown', count(*), null from clinic.countdown",
  "column comments":
    "select attrelid::regclass, attname, col_description(attrelid, attnum) from pg_attribute where col_description(attrelid, attnum) is not null and attrelid::regclass::text ~ 'clinic|we ird'",
  publications:
    "select p.pubname, puballtables, pubinsert, pubdelete, (select count(*) from pg_publication_tables t where t.pubname = p.pubname) from pg_publication p",
  subscriptions:
    "select subname, subenabled, subslotname, subconninfo, subpublications, subowner::regrole from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())",
  extensions: "select extname, extnamespace::regnamespace, obj_description(oid) from pg_extension",
  "large objects": "select oid, lomowner::regrole, lomacl::text, md5(lo_get(oid)) from pg_largeobject_metadata",
  "default rights":
    "select defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl::text from pg_default_acl",
  statistics: "select stxname, pg_get_statisticsobjdef(oid) from pg_statistic_ext",
  "materialized views": "select n, mood from clinic.summary union all select most, null from clinic.summary_of_summary",
  database:
    "select datcollate, datconnlimit, (select array_agg(a::text order by a::text) from unnest(datacl) a), datdba::regrole, shobj_description(oid, 'pg_database') from pg_database where datname = current_database()",
  settings:
    "select setrole::regrole, setconfig from pg_db_role_setting where setdatabase = (select oid from pg_database where datname = current_database())",
  roles:
    "select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolconnlimit, rolvaliduntil, (select rolpassword from pg_authid a where a.oid = r.oid), shobj_description(oid, 'pg_authid') from pg_roles r where rolname like 'conf%'",
  "role settings": "select setrole::regrole, setconfig from pg_db_role_setting where setdatabase = 0",
  memberships:
    "select roleid::regrole, member::regrole, admin_option from pg_auth_members where member::regrole::text like '%conf%'",
} as const

for (const [from, to] of [
  [15, 15],
  [17, 17],
  [15, 17],
] as const) {
  describe(`everything of a PostgreSQL ${from} comes back in a ${to}`, () => {
    let source: Ground
    let target: Ground
    let backup: ServiceBackup
    before(() =>
      comesBack().catch((e: unknown) => {
        console.error(e)
        throw e
      }),
    )
    const comesBack = async () => {
      source = await openGround(`conf-${from}-${to}-source`, { major: from, prefix: "t-pgx" })
      target = await openGround(`conf-${from}-${to}-target`, { major: to, prefix: "t-pgx" })
      source.sql("app", everything)
      source.sql("app", "set clinic.locked = 'no'; create schema writer; create table writer.log (i serial, at text)")
      const writer = source.session(
        "app",
        "do $$ begin for n in 1..20000 loop insert into writer.log (at) values (clock_timestamp()); commit; perform pg_sleep(0.001); end loop; end $$;",
      )
      await until(() => assert.notEqual(source.sql("app", "select count(*) from writer.log"), "0"))
      const stamps = { id: "backup-20260101-000000", stamp: "2026-01-01-000000", checksums: true }
      const work = directWork(source.service.host)
      backup = (await driver.backup?.(source.service, source.container(), stamps, work)) ?? assert.fail("no backup")
      assert.notEqual(writing(source), "0", "the writer went on to the backup's end")
      source.sql(
        "app",
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'do %' and pid <> pg_backend_pid()",
      )
      writer.end()
      cpSync(source.backups, target.backups, { recursive: true })
      await driver.restore?.(target.service, target.container(), backup, directWork(target.service.host))
    }
    after(async () => {
      await using _source = source
      await using _target = target
      assert.doesNotMatch(target.serverLog(), /server processes|terminated by signal|reinitializing/)
    })

    it("rows of every table, as the manifest has them", () => {
      assert.ok(backup.contents.kind === "postgres")
      const app = backup.contents.databases.find((one) => one.name === "app")
      const logged = app?.tables.find((one) => one.schema === "writer")?.rows ?? 0
      assert.ok(logged > 0)
      assert.equal(target.sql("app", "select count(*) from writer.log"), String(logged))
      assert.equal(checksums(target), checksums(source))
      assert.match(app?.tables.find((one) => one.name === "patients")?.checksum ?? "", /^-?\d+$/)
    })

    it("content is compared: a checksum that differs stops the restore", { skip: from !== 17 }, async () => {
      const other = structuredClone(backup)
      assert.ok(other.contents.kind === "postgres")
      const app = other.contents.databases.find((one) => one.name === "app") ?? assert.fail()
      Object.assign(app.tables.find((one) => one.name === "guarded") ?? {}, { checksum: "1" })
      app.largeObjectsChecksum = "2"
      const again = driver.restore?.(target.service, target.container(), other, directWork(target.service.host))
      await assert.rejects(again ?? assert.fail(), {
        code: "restore-differs",
        message: /app\.clinic\.guarded: other content.*app large objects: other content/,
      })
      assert.equal(target.sql("app", "select count(*) from pg_subscription"), "1", "that of the dropped one is gone")
    })

    for (const [name, query] of Object.entries(catalogs)) {
      it(name, () => {
        const [is, was] = [target, source].map((ground) => ground.sql("app", sorted(query)).split("\n"))
        assert.notDeepEqual(was, [""])
        assert.deepEqual(is, was)
      })
    }

    it("the dump of the restored database is that of its source", { skip: from !== to }, () => {
      assert.equal(dumpOf(target), dumpOf(source))
    })

    it("roles, as pg_dumpall writes them", { skip: from !== to }, () => {
      assert.equal(rolesOf(target), rolesOf(source))
    })
  })
}

function sorted(query: string): string {
  return `set search_path = pg_catalog; select to_json(q) from (${query}) q order by to_json(q)::text collate "C"`
}

/** Content of every table but the writer's. */
function checksums(ground: Ground): string {
  return ground.sql(
    "app",
    `set search_path = pg_catalog; set extra_float_digits = 3; set timezone = 'UTC'; set row_security = off;
select format('select %L, count(*), coalesce(sum(hashtextextended(x::text, 0)::numeric), 0) from only %I.%I x', c.oid::regclass, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname in ('clinic', 'we ird') order by 1 \\gexec`,
  )
}

function writing(ground: Ground): string {
  return ground.sql(
    "app",
    "select count(*) from pg_stat_activity where query like 'do %' and pid <> pg_backend_pid() and state = 'active'",
  )
}

function dumpOf(ground: Ground): string {
  const dump = ["pg_dump", "-U", "clinic", "-C", "-N", "writer", "--restrict-key=same", "app"]
  return ground.docker("exec", ground.container().id, ...dump)
}

/** Without the superuser, who was there before. */
function rolesOf(ground: Ground): string {
  const text = ground.docker("exec", ground.container().id, "pg_dumpall", "-U", "clinic", "-g", "--restrict-key=same")
  return text
    .split("\n")
    .filter((line) => !line.startsWith("ALTER ROLE clinic "))
    .join("\n")
}
