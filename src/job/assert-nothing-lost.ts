import { type DataLoss, dataLosses, emptiedStores, suspiciousLosses, tableLosses } from "../core/data-loss.ts"
import { failure } from "../core/errors.ts"
import type { Manifest, ServiceBackup } from "../core/manifest.ts"
import { qualifiedTable } from "../core/table-name.ts"
import type { Tools } from "./tools.ts"

/** Rows below which a table that shrinks is not worth a word, unless it is critical. */
const worthAWord = 100

/**
 * Throws (`rows-lost`, `keys-lost`) when a new backup's services lost more than `backup.max-row-loss` against the newest of
 * `earlier` that holds them (S1): of a database's rows, of a critical table's, or all keys of a store. Tables that lost as
 * much, and stores that have no key left, are told: only their owner knows whether that was meant.
 */
export function assertNothingLost(
  { config, log }: Pick<Tools, "config" | "log">,
  earlier: readonly Manifest[],
  services: readonly ServiceBackup[],
): void {
  const limit = config.backup["max-row-loss"]
  const tables = suspiciousLosses(tableLosses(earlier, services), limit)
  const critical = new Set(
    services.flatMap(({ service, contents }) => {
      const databases = contents.kind === "postgres" ? contents.databases : []
      const wanted = config.services[service]?.["critical-tables"] ?? []
      return databases.flatMap(({ name }) => wanted.map((table) => `${service}/${name}: ${qualifiedTable(table)}`))
    }),
  )
  const [loss] = [
    ...suspiciousLosses(dataLosses(earlier, services), limit),
    ...tables.filter(({ place }) => critical.has(place)),
  ]
  if (loss) {
    const what = loss.unit === "rows" ? "rows" : "keys without expiry"
    throw failure(`${loss.unit}-lost`, `${fallen(loss, what)} in its last proven backup (${loss.since})`, {
      hint: `Look at the data before anything else; if so many ${loss.unit} were deleted on purpose, raise backup.max-row-loss (1 accepts the loss of all).`,
    })
  }
  for (const one of emptiedStores(earlier, services))
    log.warning(
      `${fallen(one, "keys")} in ${one.since}: if the time of those that run out by themselves cannot be over, look at ${one.place} before anything else, and keep the older backup`,
    )
  const told = tables.filter(({ before }) => before >= worthAWord)
  if (told.length === 0) return
  const some = told.slice(0, 10).map((one) => `${fallen(one, "rows")} in ${one.since}`)
  const more = told.length > 10 ? `; and ${told.length - 10} more` : ""
  log.warning(
    `Of these tables most rows are gone; if that was not meant, keep the older backup: ${some.join("; ")}${more}`,
  )
}

function fallen({ place, before, after }: DataLoss, what: string): string {
  return `${place} has ${after} ${what}, ${before}`
}
