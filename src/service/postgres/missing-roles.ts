import { beginsWith, isKeyword, nameAt, type Statement, sqlStatements } from "./sql-statements.ts"

/**
 * Of a `pg_dumpall --globals-only`, the statements that bring back roles which are not in `existing`, as one
 * transaction; empty when none is missing. Roles that exist keep their password, attributes and settings; tablespaces
 * are left out, for their directories are not in a backup. Throws `SyntaxError` on a text that is cut off.
 */
export function missingRoles(globals: string, existing: readonly string[]): string {
  const statements = sqlStatements(globals)
  const present = new Set(existing)
  const missing = new Set(
    statements.flatMap((one) => {
      const name = beginsWith(one, "CREATE", "ROLE") ? nameAt(one, 2) : undefined
      return name === undefined || present.has(name) ? [] : [name]
    }),
  )
  if (missing.size === 0) return ""
  const kept = statements.filter((one) => concerns(one, missing))
  return ["begin", ...kept.map(({ text }) => text), "commit", ""].join(";\n")
}

function concerns(statement: Statement, missing: ReadonlySet<string>): boolean {
  const about = (at: number) => missing.has(nameAt(statement, at) ?? "")
  if (beginsWith(statement, "CREATE", "ROLE") || beginsWith(statement, "ALTER", "ROLE")) return about(2)
  if (beginsWith(statement, "COMMENT", "ON", "ROLE")) return about(3)
  return beginsWith(statement, "GRANT") && memberships(statement).some((name) => missing.has(name))
}

/** Both sides of `GRANT role TO member`; of `GRANT right ON PARAMETER name TO role` the role alone. */
function memberships(statement: Statement): readonly string[] {
  const { tokens } = statement
  const to = tokens.findIndex((token) => isKeyword(token, "TO"))
  const member = nameAt(statement, to + 1)
  const names = to < 0 || member === undefined ? [] : [member]
  const isRight = tokens.slice(0, to).some((token) => isKeyword(token, "ON"))
  if (isRight)
    return isKeyword(tokens[tokens.findIndex((token) => isKeyword(token, "ON")) + 1], "PARAMETER") ? names : []
  const group = nameAt(statement, 1)
  return group === undefined ? names : [group, ...names]
}
