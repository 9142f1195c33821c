import type { Check } from "../../core/health.ts"
import type { DatabaseContents, ServiceBackup } from "../../core/manifest.ts"
import { tableCounts } from "../../core/manifest-contents.ts"
import { rowsOf } from "./contents.ts"

/** Share of a database's rows whose loss since the backup is no ordinary deleting. */
const lossLimit = 0.5

/**
 * One check a database: tables of the backup that are gone, or more than half of its rows gone, is a failure; fewer rows
 * than in the backup a warning with the numbers, since an app may delete; equal and more are right, and told apart.
 */
export function compareWithBackup(
  backup: ServiceBackup | undefined,
  now: readonly DatabaseContents[],
): readonly Check[] {
  if (backup?.contents.kind !== "postgres") return []
  return backup.contents.databases.map((before) =>
    compare(
      before,
      now.find((one) => one.name === before.name),
    ),
  )
}

function compare(before: DatabaseContents, now: DatabaseContents | undefined): Check {
  const name = `rows of ${before.name}`
  if (!now) return { name, state: "failed", detail: "the database of the backup does not exist" }
  const counts = tableCounts(now)
  const tables = [...tableCounts(before)].map(([full, rows]) => ({ full, rows }))
  const gone = tables.filter(({ full }) => !counts.has(full)).map(({ full }) => full)
  if (gone.length > 0) return { name, state: "failed", detail: `tables are gone: ${gone.join(", ")}` }
  const fewer = tables.filter(({ full, rows }) => (counts.get(full) ?? 0) < rows)
  const [then, today] = [rowsOf(before), rowsOf(now)]
  if (today < then * (1 - lossLimit)) return { name, state: "failed", detail: `${today} rows, ${then} in the backup` }
  if (fewer.length > 0) {
    const shown = fewer.slice(0, 10).map(({ full, rows }) => `${full} ${counts.get(full)} instead of ${rows}`)
    return { name, state: "warning", detail: `fewer rows than in the backup: ${shown.join(", ")}` }
  }
  const more = today - then
  return {
    name,
    state: "ok",
    detail: more === 0 ? `${today} rows, as in the backup` : `${today} rows, ${more} more than in the backup`,
  }
}
