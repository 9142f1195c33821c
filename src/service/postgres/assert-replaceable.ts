import { refusal } from "../../core/errors.ts"
import type { ServerFacts } from "./server-facts.ts"

/**
 * Throws on what stops the renaming of a database, or would go on working in the replaced one as if it were live:
 * prepared transactions, logical replication slots, running subscriptions.
 */
export function assertReplaceable(server: ServerFacts, replaced: readonly string[]): void {
  const names = new Set(replaced)
  const busy = server.databases.find(
    (one) => names.has(one.name) && (one.slots.length > 0 || one.subscriptions.length > 0),
  )
  if (busy)
    throw refusal(
      "postgres-replication",
      `"${busy.name}" has ${[...busy.slots.map((one) => `the replication slot "${one}"`), ...busy.subscriptions.map((one) => `the running subscription "${one}"`)].join(" and ")}, which would stay with the replaced database`,
      {
        hint: "Drop the slot (pg_drop_replication_slot) or disable the subscription (ALTER SUBSCRIPTION ... DISABLE), then run again.",
      },
    )
  const prepared = server.databases.filter((one) => names.has(one.name) && one.prepared > 0)
  if (prepared.length > 0)
    throw refusal("postgres-prepared", `"${prepared[0]?.name}" has a prepared transaction, which stops its renaming`, {
      hint: "Commit or roll back what pg_prepared_xacts lists, then run again.",
    })
}
