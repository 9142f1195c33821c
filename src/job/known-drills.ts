import type { DrillRecord } from "../core/drill-record.ts"
import { messageOf } from "../core/errors.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import type { Tools } from "./tools.ts"

export interface KnownDrills {
  /** Newest first. */
  readonly records: readonly DrillRecord[]
  /** Stores that do not tell theirs: what is proven there is not known. */
  readonly untold: ReadonlySet<BackupStore["name"]>
  /** One sentence each: records that cannot be read, stores that do not tell theirs. */
  readonly problems: readonly string[]
}

/** Each store has the records of all drills that reached it: together they are all that is known. Reads each of them once. */
export async function knownDrills(
  { signal }: Pick<Tools, "signal">,
  stores: readonly BackupStore[],
): Promise<KnownDrills> {
  const found = new Map<string, DrillRecord>()
  const untold = new Set<BackupStore["name"]>()
  const problems: string[] = []
  for (const store of stores) {
    try {
      const { records, unreadable } = await store.drills(new Set(found.keys()))
      for (const record of records) found.set(record.id, record)
      problems.push(...unreadable.map((one) => `${store.name}: ${one} is no readable record of a drill`))
    } catch (error) {
      if (signal.aborted) throw error
      untold.add(store.name)
      problems.push(`${store.name}: the records of drills could not be read: ${messageOf(error)}`)
    }
  }
  const records = [...found.values()].toSorted((a, b) => Date.parse(b.started) - Date.parse(a.started))
  return { records, untold, problems }
}
