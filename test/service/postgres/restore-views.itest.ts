import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver({ besideFrom: 0 })

for (const major of [15, 17] as const)
  describe(`materialized views that PostgreSQL ${major} cannot fill again`, () => {
    let ground: Ground
    let rounds = 0
    before(async () => {
      ground = await openGround(`views-${major}`, { major, prefix: "t-pgx" })
      ground.sql("app", "create table t as select 1 i")
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })
    const roundTrip = async () => {
      const round = `2026-01-03-${String(++rounds).padStart(6, "0")}`
      const work = directWork(ground.service.host)
      const held = await driver.backup?.(ground.service, ground.container(), { id: round, stamp: round }, work)
      assert.ok(held)
      return driver.restore?.(ground.service, ground.container(), held, work) ?? assert.fail()
    }
    const filled = () =>
      ground.sql("app", "select matviewname from pg_matviews where ispopulated order by 1").split("\n")

    it("are told, with the reason, and stop nothing", async () => {
      ground.sql(
        "app",
        `create role clerk; create table secret as select 1 i;
         create materialized view plain as select * from t;
         create materialized view "for
bidden" as select * from secret;
         create materialized view "of it" as select * from "for
bidden";
         alter materialized view "for
bidden" owner to clerk;
         create materialized view not_filled as select 1 with no data;
         create function broken() returns int language plpgsql as 'begin return 1 / (select count(*)::int from public.t where current_database() = ''app''); end';
         create materialized view broken_view as select broken();
         alter database app set timezone = 'Pacific/Auckland'; alter database app set default_text_search_config = german;
         alter database app set clinic.tenant = 'north'; alter database app set array_nulls = off;
         set timezone = 'Pacific/Auckland'; set clinic.tenant = 'north'; set default_text_search_config = german;
         create table seen (at timestamptz, day date check (at::date = day), several int[]);
         insert into seen values ('2026-01-01 22:00+00', '2026-01-02', array[1, null]);
         create materialized view by_day as select at::date as day, current_setting('clinic.tenant') as tenant, to_tsvector('die Häuser') as words, several from seen`,
      )
      const { caveat, rows } = await roundTrip()
      assert.equal(rows, 3)
      assert.equal(ground.sql("app", "select * from by_day"), "2026-01-02|north|'haus':2|{1,NULL}")
      assert.equal(
        caveat,
        'materialized views could not be filled again: public.broken_view, public."for\nbidden", public."of it" of "app" ' +
          '(22012: division by zero; 42501: permission denied for table secret; 55000: materialized view "for). ' +
          "Whoever reads them gets an error until REFRESH MATERIALIZED VIEW succeeds.",
      )
      assert.deepEqual(filled(), ["by_day", "plain"])
      ground.sql("app", 'grant select on secret to clerk; refresh materialized view "for\nbidden"')
    })

    it("and what else calls functions come back by the database's own search path", async () => {
      // From 17 on no index and no view may need one.
      const before17 =
        "create index on visit (weight(i)); create materialized view summary as select sum(weight(i)) from visit"
      ground.sql(
        "app",
        `create schema ward; create table ward.dose as select 3 i; alter database app set search_path = ward, public;
         set search_path = ward, public;
         create function weight(int) returns int immutable language plpgsql as 'begin return (select $1 + i from dose); end';
         create table visit (i int check (weight(i) > 3), w int generated always as (weight(i)) stored);
         insert into visit select generate_series(1, 5); ${major > 16 ? "" : before17}`,
      )
      const { rows } = await roundTrip()
      assert.equal(rows, 9)
      assert.equal(ground.sql("app", "select sum(w) from visit; show search_path"), "30\nward, public")
      if (major < 17) assert.equal(ground.sql("app", "select * from summary"), "30")
    })

    it("stop the restore when it is the server that has no room for them", async () => {
      ground.sql(
        "app",
        `create function public.full() returns int language plpgsql as 'begin
           if current_database() <> ''app'' then raise sqlstate ''53100'' using message = ''could not extend file''; end if; return 1; end';
         create materialized view public.full_view as select public.full()`,
      )
      await assert.rejects(roundTrip(), { code: "postgres-disk-full" })
      assert.ok(filled().includes("full_view"))
    })
  })
