import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { gunzipSync } from "node:zlib"
import fc from "fast-check"
import { dumpLexer } from "../../src/core/dump-lexer.ts"
import type { DumpPiece } from "../../src/core/dump-piece.ts"
import { dumpScanner } from "../../src/core/dump-scan.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const scan = (input: string | Uint8Array, size = 65_536) => {
  const scanner = dumpScanner()
  const all = typeof input === "string" ? bytes(input) : input
  for (let at = 0; at < all.length; at += size) scanner.write(all.subarray(at, at + size))
  return scanner.end()
}
const pieces = (script: string, sizes: readonly number[] = [1 << 20]) => {
  const found: DumpPiece[] = []
  const lexer = dumpLexer((piece) => found.push(piece))
  const all = bytes(script)
  let at = 0
  for (let turn = 0; at < all.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    lexer.write(all.subarray(at, at + size))
    at += size
  }
  return { whole: lexer.end(), found }
}
const problems = (script: string) => scan(script).problems.map((one) => `${one.line} ${one.code}`)

describe("real dumps of the conformance database", () => {
  for (const [file, server] of [
    ["postgres-15.sql.gz", "15"],
    ["postgres-17.sql.gz", "17"],
    ["postgres-15-all.sql.gz", "15"],
    ["postgres-17-all.sql.gz", "17"],
  ] as const) {
    it(file, () => {
      const is = scan(gunzipSync(readFileSync(new URL(`./dumps/${file}`, import.meta.url))))
      const cluster = file.includes("all")
      assert.match(is.serverVersion ?? "", new RegExp(`^${server}\\.`))
      assert.equal(is.cluster, cluster)
      assert.equal(is.complete, true)
      assert.deepEqual(is.problems, [])
      assert.deepEqual([...is.extensions].sort(), ["citext", "hstore", "pg_trgm", "pgcrypto"])
      const named = ["clinic", "conf_app", "conf_group", "conf_owner", 'conf "odd" $role$ ü']
      assert.deepEqual(is.roles.filter((one) => named.includes(one)).sort(), named.sort())
      const rows = new Map(is.copied.map((one) => [one.table, one.rows]))
      assert.equal(rows.get("clinic.patients"), 503)
      assert.equal(
        rows.get("clinic.visits_2024_0"),
        is.copied.find((one) => one.table === "clinic.visits_2024_0")?.rows,
      )
      assert.equal(rows.get(`"we ird"."ta'b\\""l%s e$x$"`), 300)
      assert.equal(rows.get("clinic.no_columns"), 1)
      assert.equal(rows.get("clinic.unvalidated"), 1)
      assert.deepEqual(is.databases, cluster ? ["template1", "app", "postgres"] : [])
    })
  }

  it("one made of INSERTs has no rows of COPY, and the rest", () => {
    const is = scan(gunzipSync(readFileSync(new URL("./dumps/postgres-15-inserts.sql.gz", import.meta.url))))
    assert.deepEqual(is.problems, [])
    assert.equal(is.complete, true)
    assert.equal(is.copied.length, 0)
    assert.ok(is.roles.includes("conf_owner"))
  })

  it("cut anywhere, is not complete", () => {
    const whole = gunzipSync(readFileSync(new URL("./dumps/postgres-17.sql.gz", import.meta.url)))
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length - 150 }),
        (at) => scan(whole.subarray(0, at)).complete === false,
      ),
      { numRuns: 20 },
    )
  })
})

describe("what a restore does not run", () => {
  for (const [script, expected] of [
    ["select 1;\n\\! touch /tmp/x\n", ["2 meta-command"]],
    ["select 1; \\! touch /tmp/x\nselect 2;", ["1 meta-command"]],
    ["select 1 \\g |sh\n", ["1 meta-command", "0 cut-off"].slice(0, 1)],
    ["\\restrict `touch /tmp/x`\n", ["1 restrict"]],
    ["\\unrestrict abc`id`\n", ["1 restrict"]],
    ["\\restrict abc1\n\\unrestrict abc1\n", []],
    ['\\connect "a`id`"\n', ["1 meta-command"]],
    ["\\connect app\n\\connect -reuse-previous=on \"dbname='we ird'\"\n", []],
    ["copy t from program 'sh';", ["1 program"]],
    ["COPY\n(select 1) TO\n PROGRAM 'sh';", ["1 program"]],
    ["copy t from '/etc/passwd';", ["1 server-file"]],
    ["alter system set x = 1;", ["1 superuser"]],
    ["create role evil superuser;", ["1 superuser"]],
    ["create role good nosuperuser;", []],
    ["copy t from stdin;\n\\\\! not a command\n\\.\n\\! a command\n", ["4 meta-command"]],
    ["select '\n\\! text';", []],
    ["select e'\\'\n\\! text';", []],
    ["select 'a\\';\n\\! command\n", ["2 meta-command"]],
    ["set standard_conforming_strings = off;\nselect 'a\\'\n\\! text';", ["1 setting"]],
    ["select $$\n\\! text$$, $a$ $$ \\! $a$;", []],
    ["select a$$1;\n\\! command\n", ["2 meta-command"]],
    ["/* \\! /* \\! */ \\! */ select 1; -- \\! \n", []],
    ["/*/ \\! */\n\\! command\n", ["2 meta-command"]],
    ['select "\n\\! text";', []],
    ["create rule r as on insert to t do (select 1; select '\\!');", []],
    ["copy t from stdin;\n1\n", ["0 cut-off"]],
    // What psql and a plain reading of the text take for different things.
    ['copy (select 1 as " from stdin ") to stdout;\n\\! command\n\\.\n', ["2 meta-command", "3 meta-command"]],
    ["-- c\r\\! command\n", ["1 meta-command"]],
    ["select $$a$$e'x\\'' \\! command\n';\n", ["1 meta-command", "0 cut-off"]],
    ["select e'''\\'' \\! command\n';\n", ["1 meta-command", "0 cut-off"]],
    ["select $e'\\'' \\! command\n';\n", ["1 meta-command", "0 cut-off"]],
    ["select 1$$'$$;\n';", ["1 unclear"]],
    ["select $1$$'$$;\n';", ["1 unclear"]],
    ["select 1e'\\';\n", ["1 unclear"]],
    ["select e'a'\n'\\';", ["1 unclear"]],
    ["select 1; -- \0\n", ["0 unclear"]],
    ["select a$$, 'x' || e'y' || 'z', 1e5, 0x1F;\n", []],
    ["create function f() begin;\ncopy t from stdin;\n\\! command\n", ["1 meta-command"]],
    ["create function f() begin atomic; select case 1 when 1 then 2 end; end;\n\\! command\n", ["2 meta-command"]],
    ["\ufeffselect 1;\n\\! command\n", ["2 meta-command"]],
    // Rows have to begin where psql and we both see it.
    ['copy "a (;b"."c""\n" ("d, e", f) FROM stdin;\n1\t2\n\\.\n', []],
    ["copy t  from stdin;\n\n\\.\n", []],
    ["copy t from stdin; select 1;\n1\n\\.\n", ["1 copy"]],
    ["select 1; copy t from stdin;\n1\n\\.\n", ["1 copy"]],
    ["copy t from stdin with (format csv);\n1\n\\.\n", ["1 copy"]],
    ["copy\u00a0t from stdin;\n1\n\\.\n", ["1 copy"]],
    ["select 1; \\restrict a\n", ["1 restrict"]],
    // What is read otherwise from there on.
    ["select set_config('standard_conforming_strings','off',false);", ["1 setting"]],
    ["select 'x', pg_catalog.\"set_config\" ( 'Standard_Conforming_Strings' , 'off', false);", ["1 setting"]],
    ["select set_config('standard_'\n'conforming_strings','off',false);", ["1 setting"]],
    ["select set_config(e'x','off',false);", ["1 setting"]],
    ["select set_config(lower('x'),'off',false);", ["1 setting"]],
    ["SELECT pg_catalog.set_config('search_path', '', false);", []],
    ["set session \"standard_conforming_strings\" to 'off';", ["1 setting"]],
    ["reset standard_conforming_strings;", ["1 setting"]],
    ["alter role r set standard_conforming_strings to off;", ["1 setting"]],
    ["alter database d set standard_conforming_strings = off;", ["1 setting"]],
    ['set u&"standard\\005fconforming_strings" = off;', ["1 setting"]],
    ["update pg_catalog.pg_settings set setting = 'off';", ["1 setting"]],
    ["SET standard_conforming_strings = on;\nset standard_conforming_strings to 'on';", []],
    ["SET client_encoding = 'UTF8';\nset client_encoding to latin1;\nset names 'EUC_JP';", []],
    ["SET client_encoding = 'SJIS';", ["1 setting"]],
    ["set names 'gb18030';", ["1 setting"]],
    ["alter role r set client_encoding = 'big5';", ["1 setting"]],
    ["select 'never ends;", ["0 cut-off"]],
  ] as const)
    it(JSON.stringify(script), () => assert.deepEqual(problems(script), expected))

  it("says nothing of what string constants hold", () => {
    const [problem] = scan("create role x superuser password 'planted-secret';").problems
    assert.ok(problem)
    assert.doesNotMatch(problem.what, /planted/)
  })
})

const fragment = fc.oneof(
  fc.constantFrom(
    "'it''s'",
    `"na""me"`,
    "$$b;o'dy$$",
    "$x$ $$ ; $x$",
    "e'\\';'",
    "-- c;\n",
    "/* ; /* */ */",
    "1",
    "(a; b)",
    "x$1$",
  ),
  fc.stringMatching(/^[a-z_ ,.=<>\n]{0,12}$/),
)
const statement = fc.array(fragment, { minLength: 1, maxLength: 6 }).map((parts) => `select ${parts.join(" ")};\n`)
const copy = fc.array(fc.stringMatching(/^[a-z\t 0-9']{0,12}(\\\\[!.]?)?$/), { maxLength: 5 }).map((rows) => ({
  script: `copy t (a) from stdin;\n${rows.map((row) => `${row}\n`).join("")}\\.\n`,
  rows: rows.length,
}))

describe("dumpLexer", () => {
  it("gives the same pieces however the script is cut into chunks", () => {
    const script = fc.array(
      fc.oneof(
        statement,
        copy.map((one) => one.script),
        fc.constant("\\restrict a\n"),
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(script, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (parts, sizes) => {
        assert.deepEqual(pieces(parts.join(""), sizes), pieces(parts.join("")))
      }),
    )
  })

  it("finds every statement and every row, where they are", () => {
    const part = fc.oneof(
      statement.map((script) => ({ script, kind: "statement", count: 0 })),
      copy.map(({ script, rows }) => ({ script, kind: "rows", count: rows })),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const { found, whole } = pieces(parts.map((one) => one.script).join(""))
        assert.ok(whole)
        const statements = found.filter((one) => one.kind === "statement")
        assert.equal(statements.length, parts.length)
        assert.deepEqual(
          found.filter((one) => one.kind === "rows").map((one) => one.count),
          parts.filter((one) => one.kind === "rows").map((one) => one.count),
        )
      }),
    )
  })
})

/** A lexer as short as can be: what opens first holds everything up to its end. */
function metaCommands(script: string): number {
  const token =
    /(?<![\w$])e'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"[^"]*(?:"|$)|--[^\n\r]*|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|(\\!)|[a-z_][\w$]*|[\s\S]/g
  return [...script.matchAll(token)].filter((found) => found[2] !== undefined).length
}

const quoting = fc.array(
  fc.constantFrom("'", "''", " e'", "\\'", '"', "--", "\n", "\r", "$$", " $a$", "\\! x\n", "a", " ", "(", "1 ", ","),
  { maxLength: 14 },
)

describe("a command of psql", () => {
  it("is found wherever psql sees one, whatever quotes stand around it", () => {
    let seen = 0
    fc.assert(
      fc.property(quoting, (parts) => {
        const script = `select ${parts.join("")}`
        const objected = scan(script).problems.some(({ code }) => code !== "cut-off")
        const commands = metaCommands(script)
        seen += commands
        assert.ok(commands === 0 || objected, script)
      }),
      { numRuns: 3000 },
    )
    assert.ok(seen > 300, `${seen} commands were made`)
  })
})
