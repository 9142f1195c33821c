import { refusal } from "../../core/errors.ts"
import type { Service } from "../driver.ts"
import type { ServerFacts } from "./server-facts.ts"

/** Milliseconds: a standby that gets its WAL from an archive is behind by `archive_timeout`, minutes as a rule. */
const behind = 900_000

/**
 * What a person should know of a standby's backup; nothing for a primary's. Refuses one that nobody sends anything, and whose
 * last transaction is old: its data may be as old as that, and a backup's age is told by when it was made.
 */
export function standbyAdvice(
  { name }: Pick<Service, "name">,
  { standby, now, lastReplayed, upToDate }: Pick<ServerFacts, "standby" | "now" | "lastReplayed" | "upToDate">,
): readonly string[] {
  if (!standby) return []
  const last = lastReplayed === null ? "it has replayed none since it started" : `its last one is of ${lastReplayed}`
  const told = `${name} is a standby, its backup holds the transactions that it has replayed: ${last}`
  if (upToDate) return [`${told}, and its primary has sent no more.`]
  const isRecent = lastReplayed !== null && Date.parse(now) - Date.parse(lastReplayed) <= behind
  if (isRecent) return [`${told}, and it is behind its primary, or has lost it.`]
  throw refusal("postgres-standby-stale", `${told}, and no primary sends it any, or it does not replay them`, {
    hint: `Back up the primary, or mend the replication (pg_stat_wal_receiver). If the primary is lost and ${name} takes its place: SELECT pg_promote(), then run again.`,
  })
}
