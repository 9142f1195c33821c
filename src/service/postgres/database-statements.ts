import { failure } from "../../core/errors.ts"
import { identifier } from "./identifiers.ts"
import { beginsWith, isKeyword, nameAt, type Statement, sqlStatements } from "./sql-statements.ts"

/** How a dump makes its database. */
export interface DatabaseStatements {
  /**
   * `CREATE DATABASE` from template0 with encoding, locale and provider of the source, under another name; in its
   * tablespace where that is one of `tablespaces`, else in the default one.
   */
  create(name: string, tablespaces: readonly string[]): string
  /** Owner, comment, rights and settings, naming the database by its own name: for the transaction that gives it that name. */
  readonly properties: readonly string[]
}

/** Takes apart what `pg_restore --create` prints for a database's own entries. Throws when it is not about `database`. */
export function databaseStatements(sql: string, database: string): DatabaseStatements {
  const statements = sqlStatements(sql)
  const creation = statements.find((one) => beginsWith(one, "CREATE", "DATABASE"))
  if (!creation || nameAt(creation, 2) !== database)
    throw failure("postgres-wrong-dump", `the file does not hold database "${database}"`, {
      hint: "The manifest and its files do not belong together: use another backup.",
    })
  const [options, tablespace] = optionsOf(creation)
  return {
    create(name, tablespaces) {
      const inIts = tablespace !== undefined && tablespaces.includes(tablespace)
      return `CREATE DATABASE ${identifier(name)} ${options}${inIts ? ` TABLESPACE = ${identifier(tablespace)}` : ""}`
    },
    properties: statements.filter((one) => isProperty(one, database)).map(({ text }) => text.trim()),
  }
}

/** Everything from `WITH` on, as it was written, and apart the tablespace, which pg_dump writes last and only where it is not the default one. */
function optionsOf(creation: Statement): readonly [options: string, tablespace: string | undefined] {
  const { text, tokens } = creation
  const quoted = tokens[2]?.kind === "quoted"
  const name = quoted ? /^CREATE\s+DATABASE\s+"(?:[^"]|"")*"/i : /^CREATE\s+DATABASE\s+[^\s"]+/i
  const options = text.trim().replace(name, "").trim()
  if (!isKeyword(tokens.at(-3), "TABLESPACE") || tokens.at(-2)?.text !== "=") return [options, undefined]
  return [options.replace(/\s*\bTABLESPACE\s*=\s*("(?:[^"]|"")*"|[^\s"]+)$/i, ""), nameAt(creation, tokens.length - 1)]
}

function isProperty(statement: Statement, database: string): boolean {
  const { tokens } = statement
  if (beginsWith(statement, "ALTER", "DATABASE")) return nameAt(statement, 2) === database
  if (beginsWith(statement, "COMMENT", "ON", "DATABASE")) return nameAt(statement, 3) === database
  // ALTER ROLE r IN DATABASE d SET ..., GRANT ... ON DATABASE d TO ..., REVOKE ... ON DATABASE d FROM ...
  if (!["GRANT", "REVOKE", "ALTER"].some((keyword) => beginsWith(statement, keyword))) return false
  return tokens.some(
    (token, at) =>
      isKeyword(token, "DATABASE") &&
      (isKeyword(tokens[at - 1], "ON") || isKeyword(tokens[at - 1], "IN")) &&
      nameAt(statement, at + 1) === database,
  )
}
