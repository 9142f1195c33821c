import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { AppError } from "../../../src/core/errors.ts"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { CommandError } from "../../../src/host/host.ts"
import type { Service } from "../../../src/service/driver.ts"
import { backupAdvice, extensionAdvice } from "../../../src/service/postgres/backup-advice.ts"
import { compareWithBackup } from "../../../src/service/postgres/compare-with-backup.ts"
import { databaseContents } from "../../../src/service/postgres/contents.ts"
import { named } from "../../../src/service/postgres/inside.ts"
import { cameToEnd, markedLines, newNonce } from "../../../src/service/postgres/marked-lines.ts"
import { checkDatabases, expectedDatabases } from "../../../src/service/postgres/missing-databases.ts"
import { healthOf as probeHealth } from "../../../src/service/postgres/probe-server.ts"
import { assumedServer, markOf } from "../../../src/service/postgres/server-facts.ts"
import { swapSql } from "../../../src/service/postgres/swap-sql.ts"
import { assertBringsBack } from "../../../src/service/postgres/unrestorable-extensions.ts"
import { criticalTables, judgeForeignKeys } from "../../../src/service/postgres/verify-server.ts"
import { sh } from "../../../src/shell/command.ts"
import { postgresOf } from "../../support/manifests.ts"

describe("marked lines", () => {
  it("are only those with the nonce, and an end that others print is none", () => {
    const nonce = newNonce()
    const text = `noise\nia-0 end 0\n${nonce} bytes 3\nend 0\n${nonce} end 1\n`
    assert.deepEqual(markedLines(text, nonce), ["bytes 3", "end 1"])
    assert.equal(cameToEnd(markedLines(text, nonce)), false)
    assert.equal(cameToEnd(["end 0"]), true)
    assert.equal(cameToEnd([]), false)
  })
})

describe("databaseContents", () => {
  it("reads sizes, large objects and tables of any name", () => {
    const extension = `extension {"name" : "pg_trgm", "version" : "1.6"}`
    const facts = [
      "size 8000",
      "objects 2",
      extension,
      "member 14",
      `table 15 {"schema" : "a b", "name" : "c\\nd", "rows" : 7}`,
    ]
    assert.deepEqual(databaseContents("app", facts), {
      name: "app",
      size: 8000,
      largeObjects: 2,
      tables: [{ schema: "a b", name: "c\nd", rows: 7 }],
      extensions: [{ name: "pg_trgm", version: "1.6" }],
    })
  })
  it("never takes an empty answer for an empty database", () => {
    assert.throws(() => databaseContents("app", []), { code: "postgres-count" })
  })
})

describe("named", () => {
  const ended = (code: number, stderr: string) =>
    (named("it", "other", new CommandError({ command: sh`true`, code, stdout: "", stderr, duration: 1 })) as AppError)
      .code
  it("takes no word of what a signal ended for one about its work", () => {
    assert.equal(ended(137, ""), "postgres-killed")
    assert.equal(ended(1, ""), "other")
    assert.equal(ended(137, "No space left on device"), "postgres-disk-full")
  })
})

describe("healthOf", () => {
  const facts = `facts 0 {"connections":3,"maxConnections":100,"version":"17.1","standby":false,"sizes":{"app":10},"databases":["app","postgres"]}`
  const answers = (...more: readonly string[]) => ["ready 0 ", "select 0 1", ...more]
  const healthOf = (lines: readonly string[], names: readonly string[] = ["app"]) =>
    probeHealth(lines, () => ({ names, because: "by our word" }))
  it("is healthy only when everything answered", () => {
    assert.equal(healthOf(answers(facts, "end 0")).state, "healthy")
    assert.equal(healthOf(answers(facts)).state, "unknown")
    assert.equal(healthOf(answers("facts 1 ERROR", "end 0")).state, "degraded")
    assert.equal(healthOf(answers(facts.replace(":3", ":95"), "end 0")).state, "degraded")
  })
  it("is degraded, never worse, when a database is missing, and names it", () => {
    const { state, checks } = healthOf(answers(facts, "end 0"), ["app", "shop"])
    assert.equal(state, "degraded")
    assert.deepEqual(
      checks.filter((one) => one.state !== "ok").map((one) => one.detail),
      [`missing: "shop", by our word; the server has "app", "postgres"`],
    )
  })
  it("takes the configuration before a backup, and a backup before the container's first database", () => {
    const last = { id: "backup-20261121-020000", backup: postgresOf("db", { shop: {} }) }
    const config = { "critical-tables": [], "sample-queries": [], timeout: 1 }
    const [service, told] = [config, { ...config, databases: ["app"] }].map((one) => ({ name: "db", config: one }))
    assert.ok(service && told)
    assert.deepEqual(expectedDatabases(told, last, "first").names, ["app"])
    const held = expectedDatabases(service, last, "first")
    assert.deepEqual([held.names, /backup-20261121-020000/.test(held.because)], [["shop"], true])
    assert.deepEqual(expectedDatabases(service, undefined, "first").names, ["first"])
    const unknown = expectedDatabases(service, undefined, undefined)
    assert.deepEqual([unknown.names, checkDatabases(unknown, []).state], [[], "ok"])
  })
  it("says why it is not", () => {
    const health = healthOf(["ready 2 ", "select 124 ", "facts 124 ", "end 0"])
    assert.equal(health.state, "unhealthy")
    assert.deepEqual(
      health.checks.map((check) => check.detail),
      ["the server does not respond", "no answer within the limit"],
    )
  })
})

describe("markOf", () => {
  const name = "app__old_0a1b2c3d"
  const kept = `{"infra-actions":"replaced","name":"app","comment":null}`
  it("knows our own comments and nobody else's", () => {
    assert.equal(markOf({ name, comment: kept })?.name, "app")
    for (const comment of [null, "", "{", "our main database", `{"name":"app"}`])
      assert.equal(markOf({ name, comment }), undefined)
  })
  it("takes a database by any other name than ours for live, whatever its comment says", () => {
    for (const other of ["app", "app_bad", "app__old", `${name}_`]) {
      assert.equal(markOf({ name: other, comment: kept }), undefined)
      assert.equal(markOf({ name: other, comment: kept.replace("replaced", "restoring") }), undefined)
    }
  })
})

describe("what a backup leaves out", () => {
  const [ordinary] = assumedServer.databases
  assert.ok(ordinary)
  const server = {
    ...assumedServer,
    databases: [
      { ...ordinary, name: "app" },
      { ...ordinary, name: "model", template: true, connectable: false },
      { ...ordinary, name: "template0", template: true, connectable: false },
      { ...ordinary, name: "template1", template: true },
    ],
  }
  const advice = (config: object) => backupAdvice({ name: "db", config } as Service, server)
  it("is said, unless the configuration leaves it out", () => {
    const [model, ...others] = advice({})
    assert.match(model ?? "", /"model" .* a template and closed .*"model" IS_TEMPLATE false ALLOW_CONNECTIONS true;/)
    assert.deepEqual([others, advice({ databases: ["app"] })], [[], []])
  })
})

describe("extensions that no restore brings back", () => {
  const database = (name: string, ...extensions: readonly string[]) => ({
    ...{ name, size: 1, largeObjects: 0, tables: [] },
    extensions: extensions.map((one) => ({ name: one, version: "1" })),
  })
  const held = [database("app", "plpgsql", "hstore", "timescaledb"), database('o"dd', "pg_cron"), database("plain")]
  it("are named with their database and the reason by the backup, and refused by a restore", () => {
    const [scale, cron, ...others] = extensionAdvice({ name: "db" }, held)
    assert.match(
      scale ?? "",
      /^db: .*the extension timescaledb of database "app" \(.*pre_restore.*\).*services\.db\.databases/,
    )
    assert.match(cron ?? "", /the extension pg_cron of database "o""dd" \(.*cron\.database_name/)
    assert.deepEqual(others, [])
    const refused = { kind: "refused", code: "postgres-unrestorable", message: /timescaledb of .*pg_cron of / }
    assert.throws(() => assertBringsBack({ name: "db" }, held), refused)
  })
  it("are none of those that a backup holds as a rule, nor of an old manifest, which names none", () => {
    const { extensions: _none, ...old } = database("app")
    assert.deepEqual(extensionAdvice({ name: "db" }, [database("app", "plpgsql", "postgis", "pg_trgm"), old]), [])
    assertBringsBack({ name: "db" }, [old])
  })
})

describe("swapSql", () => {
  it("renames all in one transaction and sets properties last", () => {
    const one = { live: "a", name: "a__new_1", old: "a__old_1", properties: [`ALTER DATABASE a SET x TO 'y'`] }
    const sql = swapSql(
      [
        { ...one, exists: true },
        { ...one, live: "b", name: "b__new_1", exists: false, properties: [] },
      ],
      new Map([["a", "it's"]]),
      { run: "r1", at: "2026-01-01T00:00:00Z", nothing: undefined },
    )
    assert.deepEqual(sql.split(";\n"), [
      "begin",
      'alter database "a" rename to "a__old_1"',
      `comment on database "a__old_1" is '{"infra-actions":"replaced","name":"a","comment":"it''s","run":"r1","at":"2026-01-01T00:00:00Z","made":["b"]}'`,
      'alter database "a__new_1" rename to "a"',
      'comment on database "a" is null',
      'alter database "a" reset all',
      "ALTER DATABASE a SET x TO 'y'",
      'alter database "b__new_1" rename to "b"',
      'comment on database "b" is null',
      'alter database "b" reset all',
      "commit",
      "",
    ])
  })
})

describe("comparing with a backup", () => {
  const database = (rows: Record<string, number>) => ({
    name: "app",
    size: 1,
    largeObjects: 0,
    tables: Object.entries(rows).map(([name, count]) => ({ schema: "public", name, rows: count })),
  })
  const states = (before: Record<string, number>, now: Record<string, number>) => {
    const contents = {
      kind: "postgres",
      version: 1,
      systemIdentifier: "1",
      dataChecksums: true,
      databases: [database(before)],
    }
    const backup = { service: "db", image: "i", artifacts: [], contents } as ServiceBackup
    return compareWithBackup(backup, [database(now)])[0]?.state
  }
  it("tells equal and more from fewer, far fewer and gone", () => {
    assert.equal(states({ a: 10, b: 1 }, { a: 10, b: 1 }), "ok")
    assert.equal(states({ a: 10 }, { a: 11, new: 3 }), "ok")
    assert.equal(states({ a: 10, b: 1 }, { a: 9, b: 5 }), "warning")
    assert.equal(states({ a: 10 }, { a: 4 }), "failed")
    assert.equal(states({ a: 10, b: 0 }, { a: 10 }), "failed")
  })
  it("wants critical tables to exist and hold rows", () => {
    const found = criticalTables(["a", "public.b", "other.c"], [database({ a: 1, b: 0 })])
    assert.deepEqual(
      found.map((check) => check.state),
      ["ok", "failed", "failed"],
    )
  })
  it("takes for a failure of a restored one only what its backup held", () => {
    const restored = [database({ a: 1, b: 0, c: 0 })]
    const found = criticalTables(["a", "b", "c", "d", "e"], restored, [database({ a: 1, b: 0, c: 3, d: 4 })])
    assert.deepEqual(
      found.map((check) => check.state),
      ["ok", "warning", "failed", "failed", "warning"],
    )
  })
  it("calls a key broken only when Postgres calls it valid", () => {
    const key = (valid: boolean, broken: boolean) => ({ table: "a", name: `${valid}`, valid, broken })
    const state = (...keys: ReturnType<typeof key>[]) => judgeForeignKeys(keys).state
    assert.equal(state(key(true, false)), "ok")
    assert.equal(state(key(true, false), key(false, true)), "warning")
    assert.equal(state(key(false, false)), "warning")
    assert.equal(state(key(false, true), key(true, true)), "failed")
    assert.match(judgeForeignKeys([key(false, true)]).detail, /never validated: a\.false \(rows point at nothing\)/)
  })
})
