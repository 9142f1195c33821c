import { refusal } from "../../core/errors.ts"
import type { Service } from "../driver.ts"
import { identifier } from "./identifiers.ts"

/** Extensions that no restore into a database beside the live one brings back, and why. */
const reasons: ReadonlyMap<string, string> = new Map([
  ["pg_cron", "it can only be made in the one database that cron.database_name names"],
  ["timescaledb", "it wants timescaledb_pre_restore() before, timescaledb_post_restore() after, and a single job"],
])

interface Extended {
  readonly name: string
  readonly extensions?: readonly { readonly name: string }[] | undefined
}

/** Each of such extensions in these databases, by name and with the reason; empty as a rule. */
export function unrestorableExtensions(databases: readonly Extended[]): readonly string[] {
  return databases.flatMap(({ name, extensions = [] }) =>
    extensions.flatMap((one) => {
      const reason = reasons.get(one.name)
      return reason === undefined ? [] : [`the extension ${one.name} of database ${identifier(name)} (${reason})`]
    }),
  )
}

/** Refuses databases of which a restore, or an upgrade, which is one, could not bring everything back. */
export function assertBringsBack({ name }: Pick<Service, "name">, databases: readonly Extended[]): void {
  const lost = unrestorableExtensions(databases)
  if (lost.length === 0) return
  throw refusal("postgres-unrestorable", `a restore of ${name} cannot bring back ${lost.join(", ")}`, {
    hint: `Do it by hand (docs/by-hand.md). Later backups come back without it: name the other databases in services.${name}.databases.`,
  })
}
