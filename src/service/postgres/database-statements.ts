import { failure } from "../../core/errors.ts"
import { identifier } from "./identifiers.ts"
import { beginsWith, isKeyword, nameAt, type Statement, sqlStatements } from "./sql-statements.ts"

/** How a dump makes its database. */
export interface DatabaseStatements {
  /** Its own; undefined when that is the default one. */
  readonly tablespace: string | undefined
  /**
   * `CREATE DATABASE` from template0 with encoding, locale and provider of the source, under another name; in its
   * tablespace where that is one of `tablespaces`, else in the default one.
   */
  create(name: string, tablespaces: readonly string[]): string
  /** Gives the database, under that other name, those of its settings on which depends what a restore of its data makes. */
  settings(name: string): readonly string[]
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
  const properties = statements.filter((one) => isProperty(one, database))
  return {
    tablespace,
    create(name, tablespaces) {
      const inIts = tablespace !== undefined && tablespaces.includes(tablespace)
      return `CREATE DATABASE ${identifier(name)} ${options}${inIts ? ` TABLESPACE = ${identifier(tablespace)}` : ""}`
    },
    settings: (name) =>
      properties.filter(isForContent).map((one) => `ALTER DATABASE ${identifier(name)} ${restOf(one)}`),
    properties: properties.map(({ text }) => text.trim()),
  }
}

/** Everything from `WITH` on, as it was written, and apart the tablespace, which pg_dump writes last and only where it is not the default one. */
function optionsOf(creation: Statement): readonly [options: string, tablespace: string | undefined] {
  const { tokens } = creation
  const options = restOf(creation)
  if (!isKeyword(tokens.at(-3), "TABLESPACE") || tokens.at(-2)?.text !== "=") return [options, undefined]
  return [options.replace(/\s*\bTABLESPACE\s*=\s*("(?:[^"]|"")*"|[^\s"]+)$/i, ""), nameAt(creation, tokens.length - 1)]
}

/** What follows the name, which is the third word, as it was written. */
function restOf({ text }: Statement): string {
  return text.trim().replace(/^\S+\s+\S+\s+("(?:[^"]|"")*"|[^\s"]+)\s*/, "")
}

/**
 * What functions find, and what dates, numbers and texts are to them, when rows are checked and views filled. No others: a time
 * limit, a missing tablespace or `array_nulls` would do harm.
 */
const forContent =
  /^(search_path|timezone|datestyle|default_text_search_config|lc_(monetary|numeric|time)|bytea_output|extra_float_digits)$/i

function isForContent({ tokens: [alter, kind, , set, setting] }: Statement): boolean {
  if (!isKeyword(alter, "ALTER") || !isKeyword(kind, "DATABASE") || !isKeyword(set, "SET")) return false
  // One with a dot is of the functions themselves, or of an extension.
  return forContent.test(setting?.text ?? "") || setting?.text.includes(".") === true
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
