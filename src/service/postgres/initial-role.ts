import { beginsWith, isKeyword, nameAt, type Statement, sqlStatements } from "./sql-statements.ts"

/**
 * Of a `pg_dumpall --globals-only`, what makes a role that initdb has just made the one that it was: password, attributes,
 * settings, comment; empty when the text does not have it. Throws `SyntaxError` on a text that is cut off.
 */
export function initialRole(globals: string, role: string): string {
  const kept = sqlStatements(globals).filter((one) => concerns(one, role))
  return kept.length === 0 ? "" : ["begin", ...kept.map(({ text }) => text), "commit", ""].join(";\n")
}

function concerns(statement: Statement, role: string): boolean {
  if (beginsWith(statement, "ALTER", "ROLE"))
    return nameAt(statement, 2) === role && !statement.tokens.some((token) => isKeyword(token, "DATABASE"))
  return beginsWith(statement, "COMMENT", "ON", "ROLE") && nameAt(statement, 3) === role
}
