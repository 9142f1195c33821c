import { identifier, literal } from "./identifiers.ts"
import { beginsWith, isKeyword, nameAt, type Statement } from "./sql-statements.ts"

/** `GRANT role TO member WITH ... GRANTED BY grantor`, as pg_dumpall writes it. */
export interface Membership {
  readonly text: string
  readonly role: string
  readonly member: string
  readonly grantor: string | undefined
  readonly admin: boolean
  /** Before 16 the member said it, not the membership. */
  readonly inherit: boolean | undefined
  readonly set: boolean
}

/** Undefined for every other statement, among them grants of a right. */
export function membershipOf(statement: Statement): Membership | undefined {
  const { tokens, text } = statement
  const to = tokens.findIndex((token) => isKeyword(token, "TO"))
  const [role, member] = [nameAt(statement, 1), nameAt(statement, to + 1)]
  if (!beginsWith(statement, "GRANT") || to !== 2 || role === undefined || member === undefined) return undefined
  const isGranted = isKeyword(tokens.at(-3), "GRANTED") && isKeyword(tokens.at(-2), "BY")
  const options = tokens.slice(to + 2, isGranted ? -3 : undefined)
  const option = (keyword: string) => {
    const at = options.findIndex((token) => isKeyword(token, keyword))
    return at < 0 ? undefined : !isKeyword(options[at + 1], "FALSE")
  }
  return {
    ...{ text, role, member, grantor: isGranted ? nameAt(statement, tokens.length - 1) : undefined },
    ...{ admin: option("ADMIN") ?? false, inherit: option("INHERIT"), set: option("SET") ?? true },
  }
}

/**
 * Statements for a server from 16 on, where only the first role may grant any, and whoever has the ADMIN OPTION: those that
 * give it come first, and what its grantor may not have granted here is granted without. A member that had the same role by
 * several grantors has all that any of them gave, whether or not they still count as several.
 */
export function grantSql(memberships: readonly Membership[]): readonly string[] {
  const grants = memberships.toSorted((a, b) => Number(b.admin) - Number(a.admin))
  const pairs = Map.groupBy(memberships, ({ role, member }) => JSON.stringify([role, member]))
  const refused = "exception when insufficient_privilege or invalid_grant_operation then"
  return [
    ...grants.map((one) =>
      one.grantor === undefined ? one.text : block(`${one.text}; ${refused} ${withoutGrantor(one, [one])};`),
    ),
    ...[...pairs.values()].flatMap((all) => {
      const [one] = all
      if (!one || all.length === 1) return []
      const count = `(select count(*) from pg_auth_members where ${isPair(one)})`
      return [block(`if ${count} < ${all.length} then ${withoutGrantor(one, all)}; end if;`)]
    }),
  ]
}

/** Statements that give a line `<mark> <index>` for each membership that has another grantor than it had. */
export function regrantedSql(memberships: readonly Membership[], mark: string): readonly string[] {
  return memberships.flatMap((one, at) =>
    one.grantor === undefined
      ? []
      : [
          `select ${literal(`${mark} ${at}`)} where not exists (select from pg_auth_members
  where ${isPair(one)} and grantor = ${oid(one.grantor)})`,
        ],
  )
}

/** With all that any of `grants` gives. Nothing is said of an ADMIN OPTION that none gives: on its grants others may stand. */
function withoutGrantor({ role, member }: Membership, grants: readonly Membership[]): string {
  const inherits = grants.flatMap(({ inherit }) => (inherit === undefined ? [] : [inherit]))
  const options = [
    ...(grants.some(({ admin }) => admin) ? ["admin true"] : []),
    ...(inherits.length === 0 ? [] : [`inherit ${inherits.some(Boolean)}`]),
    `set ${grants.some(({ set }) => set)}`,
  ]
  return `grant ${identifier(role)} to ${identifier(member)} with ${options.join(", ")}`
}

function isPair({ role, member }: Membership): string {
  return `roleid = ${oid(role)} and member = ${oid(member)}`
}

function oid(role: string): string {
  return `${literal(identifier(role))}::regrole`
}

function block(statements: string): string {
  return `do ${literal(`begin ${statements} end`)}`
}
