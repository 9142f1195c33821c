import type { RestoreReport } from "../driver.ts"
import type { DatabaseStatements } from "./database-statements.ts"
import type { Restored } from "./restore-job.ts"
import type { ServerFacts } from "./server-facts.ts"

/** How many are named. */
const shown = 20

/** That a database comes into the default tablespace, for its own is not there: in the words in which the script tells of a table. */
export function displacedDatabase(
  { tablespace }: Pick<DatabaseStatements, "tablespace">,
  { ownTablespaces }: Pick<ServerFacts, "ownTablespaces">,
): readonly string[] {
  if (tablespace === undefined || ownTablespaces.includes(tablespace)) return []
  return [`the database itself (${tablespace})`]
}

/** What a restore reports of what came back into the default tablespace and lay in another. */
export function displacedIn(
  restored: readonly Pick<Restored, "live" | "displaced">[],
): Pick<RestoreReport, "displaced"> {
  const all = restored.flatMap(({ live, displaced }) => displaced.map((one) => `"${live}": ${one}`))
  if (all.length === 0) return {}
  const more = all.length > shown ? `; and ${all.length - shown} more` : ""
  const displaced = `back in the default tablespace, not in the one where it lay (in brackets): ${all.slice(0, shown).join("; ")}${more}`
  return { displaced }
}
