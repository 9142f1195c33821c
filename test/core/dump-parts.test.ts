import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type DumpScan, dumpScanner } from "../../src/core/dump-scan.ts"

function scan(script: string): DumpScan {
  const scanner = dumpScanner()
  scanner.write(new TextEncoder().encode(script))
  return scanner.end()
}

const cluster = `--
-- PostgreSQL database cluster dump
--
CREATE ROLE app_owner;
\\connect template1
-- Dumped from database version 15.18 (Debian)
-- Dumped by pg_dump version 17.11
copy t from stdin;
1
\\.
--
-- PostgreSQL database dump complete
--
ALTER DATABASE other SET x TO 'y';
\\connect -reuse-previous=on "dbname='we \\'ird'"
copy t from stdin;
1
2
\\.
\\connect last
select 1;
-- PostgreSQL database dump complete
-- PostgreSQL database cluster dump complete
`

describe("the parts of a script", () => {
  it("of a whole cluster are those between its connects, each up to its own end", () => {
    const is = scan(cluster)
    const lines = cluster.split("\n")
    const texts = is.parts.map(({ database, from, to }) => [database, lines[from - 1], lines[to - 1]])
    assert.deepEqual(texts, [
      ["template1", "-- Dumped from database version 15.18 (Debian)", "-- PostgreSQL database dump complete"],
      ["we 'ird", "copy t from stdin;", "\\."],
      ["last", "select 1;", "-- PostgreSQL database dump complete"],
    ])
    assert.deepEqual(is.databases, ["template1", "we 'ird", "last"])
    assert.deepEqual([is.serverVersion, is.dumpVersion, is.cluster, is.complete], ["15.18", "17.11", true, true])
    assert.deepEqual(is.problems, [])
  })

  it("have their own rows: the same table in two databases is two", () => {
    assert.deepEqual(scan(cluster).copied, [
      { database: "template1", table: "t", rows: 1 },
      { database: "we 'ird", table: "t", rows: 2 },
    ])
  })

  it("a script without connects has none, and its rows belong to no database", () => {
    const is = scan("copy t from stdin;\n1\n\\.\n-- PostgreSQL database dump complete\n")
    assert.deepEqual([is.parts, is.complete, is.cluster], [[], true, false])
    assert.deepEqual(is.copied, [{ database: undefined, table: "t", rows: 1 }])
  })
})

describe("lines that are left out", () => {
  it("hold only what no server needs, or only a superuser may do", () => {
    const script = `\\restrict a1
SET transaction_timeout = 0;
ALTER TABLE public.t OWNER TO somebody;
ALTER FUNCTION f(integer)
  OWNER TO somebody;
ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT SELECT ON TABLES TO y;
COMMENT ON EXTENSION hstore IS 'x';
select 1;
`
    const is = scan(script)
    assert.deepEqual(is.needless, [
      { from: 1, to: 1 },
      { from: 2, to: 2 },
    ])
    assert.deepEqual(is.privileged, [
      { from: 3, to: 3 },
      { from: 4, to: 5 },
      { from: 6, to: 6 },
      { from: 7, to: 7 },
    ])
  })

  for (const script of [
    "insert into t values (1); set transaction_timeout = 0;\n",
    "set transaction_timeout = 0; insert into t values (1);\n",
    "insert into t\nvalues (1); alter table t owner to somebody;\n",
    "alter table t owner to somebody; insert into t\nvalues (1);\n",
    "comment on extension x is 'y'; insert into t values (1);\n",
  ])
    it(`are none that hold more: ${JSON.stringify(script)}`, () => {
      const { needless, privileged } = scan(script)
      assert.deepEqual([needless, privileged], [[], []])
    })
})

describe("where statements end", () => {
  it("is told of every line at whose end one ends and none goes on, but not of a COPY", () => {
    assert.deepEqual(
      scan("select 1;\nselect\n2; select 3;\nselect 4; select\n5;\ncopy t from stdin;\n\\.\n").ends,
      [1, 3, 5],
    )
  })

  it("is told of some only in a script of very many", () => {
    const { ends } = scan(`select 1;\n`.repeat(220_000))
    assert.equal(ends.length, 10_002)
    assert.deepEqual(ends.slice(0, 2), [1, 2])
  })
})
