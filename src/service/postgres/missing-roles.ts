import { type Membership, membershipOf } from "./memberships.ts"
import { beginsWith, isKeyword, nameAt, type Statement, sqlStatements } from "./sql-statements.ts"

export interface MissingRole {
  readonly name: string
  readonly superuser: boolean
  readonly login: boolean
}

export interface MissingRoles {
  readonly roles: readonly MissingRole[]
  /** Statements that make them, but for their memberships. */
  readonly statements: readonly string[]
  readonly memberships: readonly Membership[]
}

/**
 * Of a `pg_dumpall --globals-only`, what brings back the roles that are not in `existing`; nothing when none is missing. Roles
 * that exist keep their password, attributes and settings; tablespaces are left out, for their directories are not in a
 * backup. Throws `SyntaxError` on a text that is cut off.
 */
export function missingRoles(globals: string, existing: readonly string[]): MissingRoles {
  const statements = sqlStatements(globals)
  const present = new Set(existing)
  const names = statements.flatMap((one) => {
    const name = beginsWith(one, "CREATE", "ROLE") ? nameAt(one, 2) : undefined
    return name === undefined || present.has(name) ? [] : [name]
  })
  const missing = new Set(names)
  const kept = statements.filter((one) => concerns(one, missing))
  return {
    roles: names.map((name) => ({ name, superuser: may(kept, name, "SUPERUSER"), login: may(kept, name, "LOGIN") })),
    statements: kept.flatMap((one) => (membershipOf(one) ? [] : [one.text])),
    memberships: kept.flatMap((one) => membershipOf(one) ?? []),
  }
}

/** Whether `ALTER ROLE name WITH ...` gives it this attribute. */
function may(statements: readonly Statement[], role: string, attribute: string): boolean {
  return statements.some(
    (one) =>
      beginsWith(one, "ALTER", "ROLE") &&
      nameAt(one, 2) === role &&
      isKeyword(one.tokens[3], "WITH") &&
      one.tokens.slice(4).some((token) => isKeyword(token, attribute)),
  )
}

function concerns(statement: Statement, missing: ReadonlySet<string>): boolean {
  const about = (at: number) => missing.has(nameAt(statement, at) ?? "")
  if (beginsWith(statement, "CREATE", "ROLE") || beginsWith(statement, "ALTER", "ROLE")) return about(2)
  if (beginsWith(statement, "COMMENT", "ON", "ROLE")) return about(3)
  const membership = membershipOf(statement)
  if (membership) return missing.has(membership.role) || missing.has(membership.member)
  // Of rights, only those on a setting of the server are among the globals and not about a tablespace.
  const at = (keyword: string) => statement.tokens.findIndex((token) => isKeyword(token, keyword))
  return isKeyword(statement.tokens[at("ON") + 1], "PARAMETER") && beginsWith(statement, "GRANT") && about(at("TO") + 1)
}
