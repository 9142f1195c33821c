import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { databaseStatements } from "../../../src/service/postgres/database-statements.ts"
import { identifier, literal } from "../../../src/service/postgres/identifiers.ts"
import { missingRoles } from "../../../src/service/postgres/missing-roles.ts"
import { sqlStatements } from "../../../src/service/postgres/sql-statements.ts"

describe("sqlStatements", () => {
  it("is not misled by semicolons in strings, names, comments and dollar quotes", () => {
    const sql = `-- a;b\n/* c;d */ SELECT 'e;f''g', E'h\\';i', "j;""k", $x$l;$$m$x$;\n\\restrict a;b\nSET x = 1;`
    assert.deepEqual(
      sqlStatements(sql).map((one) => one.tokens[0]?.text),
      ["SELECT", "SET"],
    )
  })
  it("refuses text that ends in the middle", () => {
    assert.throws(() => sqlStatements("CREATE ROLE a"), /ends within a statement/)
  })
  it("finds any name and any string again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        const [one] = sqlStatements(`COMMENT ON ROLE ${identifier(text)} IS ${literal(text)};`)
        assert.deepEqual(one?.tokens.slice(3), [
          { text, kind: "quoted" },
          { text: "IS", kind: "word" },
          { text: literal(text), kind: "string" },
        ])
      }),
    )
  })
})

const globals = `--
-- PostgreSQL database cluster dump
--

\\restrict abc

SET default_transaction_read_only = off;
CREATE ROLE clinic;
ALTER ROLE clinic WITH SUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$old';
CREATE ROLE "od;d ""role";
ALTER ROLE "od;d ""role" WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:a;b';
COMMENT ON ROLE "od;d ""role" IS 'says; something';
CREATE ROLE reader;
ALTER ROLE reader SET work_mem TO '1MB';
GRANT reader TO "od;d ""role" WITH INHERIT TRUE GRANTED BY clinic;
GRANT reader TO clinic GRANTED BY clinic;
CREATE TABLESPACE fast OWNER clinic LOCATION '/fast';

-- PostgreSQL database cluster dump complete
`

describe("missingRoles", () => {
  it("takes nothing when nobody is missing", () => {
    const nothing = { roles: [], statements: [], memberships: [] }
    assert.deepEqual(missingRoles(globals, ["clinic", 'od;d "role', "reader", "other"]), nothing)
  })
  it("makes what is missing and never touches what is there", () => {
    const { roles, statements, memberships } = missingRoles(globals, ["clinic", "reader"])
    assert.deepEqual(roles, [{ name: 'od;d "role', superuser: false, login: true }])
    assert.deepEqual(
      statements.map((text) => text.split(" ").slice(0, 3).join(" ")),
      ['CREATE ROLE "od;d', 'ALTER ROLE "od;d', "COMMENT ON ROLE"],
    )
    const text = 'GRANT reader TO "od;d ""role" WITH INHERIT TRUE GRANTED BY clinic'
    const membership = { text, role: "reader", member: 'od;d "role', grantor: "clinic" }
    assert.deepEqual(memberships, [{ ...membership, admin: false, inherit: true, set: true }])
  })
})

const creation = `\\restrict x
SET client_encoding = 'UTF8';
CREATE DATABASE "we ""ird" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';
ALTER DATABASE "we ""ird" OWNER TO clinic;
\\connect "we ""ird"
COMMENT ON DATABASE "we ""ird" IS 'a; b';
ALTER DATABASE "we ""ird" SET search_path TO 'app', 'public';
ALTER ROLE reader IN DATABASE "we ""ird" SET work_mem TO '1MB';
REVOKE CONNECT,TEMPORARY ON DATABASE "we ""ird" FROM PUBLIC;
GRANT CONNECT ON DATABASE "we ""ird" TO reader;
`

describe("databaseStatements", () => {
  it("makes the same database under another name", () => {
    assert.equal(
      databaseStatements(creation, 'we "ird').create("new;name", []),
      `CREATE DATABASE "new;name" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C'`,
    )
  })
  it("leaves a tablespace of any name out where it is missing, and all else as it was written", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.constantFrom(` TABLESPACE = "`, `"" TABLESPACE = x`),
    )
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (name, rules, own, bare) => {
        const options = `WITH TEMPLATE = template0 ICU_RULES = ${literal(rules)}`
        const [tablespace, written] = bare ? ["fast_1", "fast_1"] : [own, identifier(own)]
        const statement = `CREATE DATABASE ${identifier(name)} ${options}`
        const { create } = databaseStatements(`${statement} TABLESPACE = ${written};\n`, name)
        assert.equal(create("new", [`${tablespace}2`]), `CREATE DATABASE "new" ${options}`)
        assert.equal(
          create("new", [tablespace]),
          `CREATE DATABASE "new" ${options} TABLESPACE = ${identifier(tablespace)}`,
        )
        assert.equal(databaseStatements(`${statement};\n`, name).create("new", []), `CREATE DATABASE "new" ${options}`)
      }),
    )
  })
  it("keeps owner, comment, settings and rights", () => {
    const { properties } = databaseStatements(creation, 'we "ird')
    assert.deepEqual(
      properties.map((one) => one.split(" ")[0]),
      ["ALTER", "COMMENT", "ALTER", "ALTER", "REVOKE", "GRANT"],
    )
  })
  it("gives the settings on which content depends to one of another name", () => {
    const given = ["\"TimeZone\" TO 'UTC'", "\"app.tenant\" TO 'a;b'", "array_nulls TO 'off'", "role TO 'app'"]
    const sql = given.map((one) => `ALTER DATABASE "we ""ird" SET ${one};\n`).join("")
    const { settings } = databaseStatements(`${creation}${sql}`, 'we "ird')
    assert.deepEqual(
      settings("new;name"),
      [`search_path TO 'app', 'public'`, ...given.slice(0, 2)].map((one) => `ALTER DATABASE "new;name" SET ${one}`),
    )
  })
  it("refuses the dump of another database", () => {
    assert.throws(() => databaseStatements(creation, "app"), { code: "postgres-wrong-dump" })
  })
})
