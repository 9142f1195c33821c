import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { execInside } from "../../../src/service/postgres/inside.ts"
import { countSql } from "../../../src/service/postgres/sql.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver()

/** As the script of a role without rights, each made psql 15.18 run the command; a role's own setting does from its next session on. */
const hostile: Record<string, string> = {
  "a COPY that is one only in a quoted name":
    'copy (select 1 as " from stdin ") to stdout;\n\\! touch /tmp/owned\n\\.\n',
  "backslashes that escape":
    "select set_config('standard_conforming_strings','off',false);\nselect '\\'' \\! touch /tmp/owned\n';\n",
  "backslashes that escape by a role's own setting":
    "alter role current_user set standard_conforming_strings to off;\nselect '\\'' \\! touch /tmp/owned\n';\n",
  "a comment that a carriage return ends": "-- c\r\\! touch /tmp/owned\nselect 1;\n",
  "a dollar quote behind a number": "select 1$$'$$ \\! touch /tmp/owned\n';\n",
  "an escaping constant behind a dollar quote": "select $$a$$e'x\\'' \\! touch /tmp/owned\n';\n",
  "a doubled quote in an escaping constant": "select e'''\\'' \\! touch /tmp/owned\n';\n",
  "semicolons in a function's body": "create function f() begin;\ncopy t from stdin;\n\\! touch /tmp/owned\n\\.\n",
  "a session of the superuser": "\\connect - clinic\ncopy (select 1) to program 'touch /tmp/owned';\n",
}

/** What no scanner can see. */
const hidden: Record<string, string> = {
  "backslashes that escape, switched in a text":
    "do $$ begin perform set_config('standard_' || 'conforming_strings', 'off', false); end $$;\nselect '\\'' \\! touch /tmp/owned\n';\n",
}

describe("no psql command of a foreign dump runs without force", () => {
  let ground: Ground
  let file: string
  before(async () => {
    ground = await openGround("foreign-shell", { major: 15, prefix: "t-mpg" })
    file = `${ground.backups.replace(/backups$/, "")}dump.sql`
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  const restore = (script: string, force = false) => {
    writeFileSync(file, script)
    const work = directWork(ground.service.host)
    const options = { file, database: "copy", force, begins: async () => undefined }
    return driver.restoreForeign?.(ground.service, ground.container(), options, work) ?? assert.fail()
  }
  const names = () =>
    ground.sql("app", "select string_agg(datname, ',' order by 1) from pg_database where datname <> 'copy'")
  const owned = () => ground.docker("exec", ground.container().id, "find", "/tmp", "-name", "owned")

  for (const [what, script] of Object.entries(hostile))
    it(`the reading refuses ${what}`, async () => {
      const was = names()
      await assert.rejects(restore(script), { kind: "refused", code: "foreign-dump" })
      assert.deepEqual([owned(), names()], ["", was])
    })

  for (const [what, script] of Object.entries(hidden))
    it(`the running stops ${what}`, async () => {
      const was = names()
      await assert.rejects(restore(script), { code: "foreign-restore-failed", message: /syntax error/ })
      assert.deepEqual([owned(), names()], ["", was])
    })

  it("force gives psql the script as it is", async () => {
    await restore("create table t (i int);\n\\! touch /tmp/owned\n", true)
    assert.notEqual(owned(), "")
    ground.docker("exec", ground.container().id, "rm", "/tmp/owned")
  })

  /** As if the reading had seen nothing: the script inside, with any plan. */
  const inside = async (script: string, plan: readonly string[]) => {
    const create =
      "drop database if exists held;drop role if exists guarded;create role guarded;create database held owner guarded"
    const made = `${create.replaceAll(";", ";\n")};`
    const args = ["ia-mark", "t-mpg", made, "dbname='held'", "guarded", countSql, 1, 1_000_000, ...plan]
    const command = execInside("change", ground.container(), { name: "foreign", args })
    return ground.service.host.run(command, { input: script, allow: "any" })
  }

  for (const [what, script] of Object.entries({ ...hostile, ...hidden }))
    for (const plan of [[], ["copy 1 2", "end 1 1"]])
      it(`the script inside runs no command: ${what}, ${plan.join(" and ") || "no plan"}`, async () => {
        const { stdout } = await inside(script, plan)
        assert.match(stdout, /^ia-mark end \d+$/m)
        assert.equal(owned(), "")
      })

  for (const [what, script, plan] of [
    [
      "a hidden COPY takes our lines for rows",
      "create table t (v text);\n/**/copy t from stdin;\n\\.\n\\! touch /tmp/owned\n",
      ["end 1 1", "end 2 2"],
    ],
    [
      "rows that are told to be none",
      "create table t (v text);\nselect 1;\n\\! touch /tmp/owned\n\\.\n",
      ["end 1 1", "copy 2 2"],
    ],
    [
      "a zero byte that hides the end of rows",
      "create table t (v text);\ncopy t from stdin;\nx\0\n\\.\n\\.\n\\! touch /tmp/owned\n",
      ["end 1 1", "copy 2 2"],
    ],
    [
      "a COPY with more behind it",
      "create table t (v text);\ncopy t from stdin; select\n\\.\n\\! touch /tmp/owned\n",
      ["end 1 1", "copy 2 2"],
    ],
    [
      "bytes that are half a character",
      "set client_encoding = 'SJIS';\nselect '\x81\n';\\! touch /tmp/owned\n\x81\n",
      ["end 1 1"],
    ],
  ] as const)
    it(`the script inside runs no command: ${what}`, async () => {
      const { stdout } = await inside(Buffer.from(script, "latin1").toString("latin1"), plan)
      assert.match(stdout, /^ia-mark end \d+$/m)
      assert.equal(owned(), "")
    })

  it("brings in what looks like the end of rows, names with line breaks, no columns, a thousand columns", async () => {
    const columns = Array.from({ length: 1000 }, (_, at) => `column_of_a_long_name_${at}`)
    ground.sql(
      "app",
      `create table "two
lines" (v text); insert into "two
lines" values (e'a\\nb'), ('\\.'), (e'\\\\.\\n');
create function f() returns text language sql as $$ select '
\\.
' $$;
create function g(a int) returns int language sql begin atomic; select 1; select case when a > 1 then 2 else 3 end; end;
create table nothing (); insert into nothing default values;
create table many (${columns.map((one) => `${one} int`).join(", ")}); insert into many default values;
comment on table many is e'it\\'s \\\\ a "quoted" $$ text';`,
    )
    const dump = execFileSync("docker", ["exec", ground.container().id, "pg_dump", "-U", "clinic", "app"])
    const summary = (database: string) =>
      ground.sql(
        database,
        `select md5(string_agg(v, ',' order by v)) from "two\nlines"; select f(), g(2), (select count(*) from nothing), (select count(*) from many), obj_description('many'::regclass)`,
      )
    for (const text of [dump.toString("utf8"), `\ufeff${dump}`, dump.toString("utf8").replaceAll("\n--", "\r\n--")]) {
      const report = await restore(text)
      assert.deepEqual([report.tables, report.rows, summary("copy")], [3, 5, summary("app")])
    }
  })
})
