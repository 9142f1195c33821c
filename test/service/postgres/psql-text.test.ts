import assert from "node:assert/strict"
import { test } from "node:test"
import { databaseStatements } from "../../../src/service/postgres/database-statements.ts"
import { missingRoles } from "../../../src/service/postgres/missing-roles.ts"

test("what a dump says of its database and roles holds no command of psql", () => {
  const create = (options: string) => databaseStatements(`CREATE DATABASE app ${options};\n`, "app").create("new", [])
  assert.equal(create("WITH LOCALE = 'a\\b'"), `CREATE DATABASE "new" WITH LOCALE = 'a\\b'`)
  assert.throws(() => create("WITH TEMPLATE = template0 \\! id"), /backslash outside of quotes/)
  assert.throws(() => missingRoles("CREATE ROLE a \\! id\n;", []), /backslash outside of quotes/)
})
