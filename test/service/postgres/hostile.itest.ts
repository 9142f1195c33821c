import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { runByHand } from "../../support/by-hand.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver({ besideFrom: Number.POSITIVE_INFINITY })

interface Case {
  readonly what: string
  readonly sql: string
  /** Is the same before and after. */
  readonly look: string
  /** Both unless told: from 17 on no index may need a search path. */
  readonly majors?: readonly number[]
}

const cases: readonly Case[] = [
  {
    what: "partitions by the hash of an enum, whose rows go elsewhere",
    sql: `create type mood as enum ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
      create table t (m mood, i int) partition by hash (m); create table "t'0" partition of t for values with (modulus 3, remainder 0);
      create table t1 partition of t for values with (modulus 3, remainder 1); create table t2 partition of t for values with (modulus 3, remainder 2) partition by list (i);
      create table rest partition of t2 default; insert into t select m, i from unnest(enum_range(null::mood)) m, generate_series(1, 9) i`,
    look: "select count(*), count(distinct m) from t",
  },
  {
    what: "a generated column whose function has changed",
    sql: `create function more(int) returns int language sql immutable as 'select $1 + 1';
      create table t (i int, g int generated always as (public.more(i)) stored, "odd""name" text); insert into t values (1), (2);
      create or replace function more(int) returns int language sql immutable as 'select $1 + 2'; create table bare ()`,
    look: "select count(i) from t",
  },
  {
    what: "an index that lacks rows",
    sql: `create table t (i int primary key, f text default repeat('x', 200)); insert into t select generate_series(1, 20000);
      update pg_index set indisready = false, indisvalid = false where indexrelid = 't_pkey'::regclass;
      insert into t select generate_series(20001, 20500); update pg_index set indisready = true, indisvalid = true where indexrelid = 't_pkey'::regclass;
      set enable_seqscan = off; vacuum analyze t`,
    look: "select count(f) from t",
  },
  {
    what: "an index over a function that only the database's search path finds",
    sql: `create schema tools; create function tools.plain(text) returns text immutable language sql as 'select lower($1)';
      alter database DB set search_path = tools, public; set search_path = tools, public;
      create function public.plainer(text) returns text immutable language sql as 'select plain($1)';
      create table public.t (n text); insert into t values ('A'); create index on t (plainer(n))`,
    look: "select count(*) from t",
    majors: [15],
  },
  {
    what: "a trigger that writes at each login",
    sql: `create table logins (who text); create function note() returns event_trigger language plpgsql as
      'begin insert into public.logins values (session_user); end'; create event trigger noting on login execute function note()`,
    look: "select count(*) > 0 from logins",
    majors: [17],
  },
  {
    what: "a server with little room for temporary files",
    sql: `create table t as select md5(g::text) f from generate_series(1, 150000) g; create index on t (f);
      alter system set temp_file_limit = '1MB'; alter system set maintenance_work_mem = '1MB'; select pg_reload_conf()`,
    look: "alter system reset all; select pg_reload_conf(), count(*) from t",
  },
  {
    what: "a user who is another role as soon as he logs in",
    sql: "create table t (i int); create role meek; alter role clinic in database DB set role = meek",
    look: "set role none; select count(*) from t",
  },
]

for (const major of [15, 17] as const)
  describe(`PostgreSQL ${major} comes back with`, () => {
    let ground: Ground
    let stamps = 0
    before(async () => {
      ground = await openGround(`hostile-${major}`, { major, prefix: "t-pgx" })
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })
    const make = (database: string, sql: string) => {
      ground.sql("postgres", `create database ${database}`)
      const parts = sql.split(/(?<=;)(?= set enable_seqscan)/)
      for (const part of parts) ground.sql(database, part.replaceAll("DB", database))
    }
    const serviceOf = (database: string) => ({
      ...ground.service,
      config: { ...ground.service.config, databases: [database] },
    })
    const backUp = (database: string, told: string[] = []) => {
      const stamp = `2026-01-04-${String(++stamps).padStart(6, "0")}`
      const service = serviceOf(database)
      const target = { id: stamp, stamp, checksums: true, warn: (one: string) => void told.push(one) }
      return driver.backup?.(service, ground.container(), target, directWork(service.host)) ?? assert.fail()
    }
    const restore = (held: ServiceBackup) =>
      driver.restore?.(ground.service, ground.container(), held, directWork(ground.service.host)) ?? assert.fail()

    for (const [at, { what, sql, look, majors = [15, 17] }] of cases.entries())
      it(what, { skip: !majors.includes(major) }, async () => {
        make(`case${at}`, sql)
        const was = ground.sql(`case${at}`, look)
        const held = await backUp(`case${at}`)
        await restore(held)
        assert.equal(ground.sql(`case${at}`, look), was)
        const checks = await driver.verify?.(serviceOf(`case${at}`), ground.container(), held, { restored: true })
        assert.deepEqual(
          checks?.filter(({ state }) => state !== "ok"),
          [],
        )
      })

    it("more tables than its locks suffice for at once", async () => {
      ground.sql("postgres", "alter system set max_locks_per_transaction = 10")
      ground.docker("restart", ground.container().id)
      await ground.ready()
      make("many", "")
      for (let part = 0; part < 8; part += 1)
        ground.sql(
          "many",
          `do $$ begin for i in 1..80 loop execute format('create table t${part}_%s (a int primary key, b int unique, c int unique, d int unique)', i); end loop; end $$`,
        )
      const told: string[] = []
      const { contents } = await backUp("many", told)
      assert.ok(contents.kind === "postgres" && contents.databases[0]?.tables.length === 640)
      assert.deepEqual(told, [])
      ground.sql("postgres", "alter system reset all")
      ground.docker("restart", ground.container().id)
      await ground.ready()
    })

    it("a warning of rows that are in no dump, since their table is an extension's", async () => {
      make(
        "owned",
        `create extension pgcrypto; create table "no's" (i int); insert into "no's" values (1); alter extension pgcrypto add table "no's";
        create table none (i int); alter extension pgcrypto add table none`,
      )
      const told: string[] = []
      await backUp("owned", told)
      assert.equal(told.length, 1)
      assert.match(String(told), /^postgres: the rows of public\."no's" of pgcrypto are not in the backup/)
    })

    it("what was closed open, and says so; what it replaced can be dropped", async () => {
      make("shut", "create table t (i int)")
      const held = await backUp("shut")
      ground.sql("postgres", "alter database shut allow_connections false")
      const { caveat } = await restore(held)
      assert.match(String(caveat), /^"shut" was closed to connections, and is open now/)
      const old = ground.sql("postgres", "select datname from pg_database where datname like 'shut\\_\\_%'")
      await driver.removeReplaced?.(ground.service, ground.container(), [old], directWork(ground.service.host))
      assert.equal(ground.sql("postgres", "select count(*) from pg_database where datname like 'shut%'"), "1")
    })

    it("a clear word where rows break their own rules, and by hand", async () => {
      make(
        "broken",
        `create table p (i int primary key); create table c (i int references p); insert into p values (1);
        set session_replication_role = replica; insert into c values (1), (99)`,
      )
      const held = await backUp("broken")
      await assert.rejects(restore(held), { code: "postgres-contradiction", hint: /by hand/ })
      // That of 15 is packed.
      if (major < 17) return
      ground.sql("postgres", "create database by_hand template template0")
      const FILE = `${ground.backups}/${held.artifacts.find(({ role }) => role === "database")?.file}`
      const env = { CONTAINER: ground.container().id, FILE }
      const said = runByHand(["Where rows break their own rules"], { env })
      assert.match(said, /not everything came back/)
      assert.equal(ground.sql("by_hand", "select count(*) from c"), "2")
      ground.sql("postgres", "drop database by_hand")
    })
  })
