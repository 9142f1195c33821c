import { messageOf } from "../core/errors.ts"
import { isProven } from "../core/manifest-contents.ts"
import { backupsInUse } from "../core/release.ts"
import { decideRetention, type RetentionDecision } from "../core/retention.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { readHistory } from "./release-history.ts"
import { readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"

export interface RetentionReport {
  readonly store: BackupStore["name"]
  readonly decisions: readonly RetentionDecision[]
}

/**
 * Applies the retention policy to each store from its own list (S8) and says why each backup stays. What goes
 * wrong here is a warning, for the backup just made is good: the next run tries again. `just` is the backup that this
 * run made: it always stays, and so does the one that a stopped app waits for.
 */
export async function applyRetention(tools: Tools, just: string): Promise<readonly RetentionReport[]> {
  const reports: RetentionReport[] = []
  for (const store of tools.stores) {
    try {
      const [history, stopped] = await Promise.all([readHistory(tools), readStoppedApp(tools)])
      const inUse = new Set([...backupsInUse(history), ...(stopped?.backup ? [stopped.backup] : []), just])
      reports.push({ store: store.name, decisions: await applyTo(tools, store, inUse) })
    } catch (error) {
      tools.log.warning(`Retention of ${store.name} could not be applied: ${messageOf(error)}`)
    }
  }
  return reports
}

async function applyTo(
  tools: Tools,
  store: BackupStore,
  inUse: ReadonlySet<string>,
): Promise<readonly RetentionDecision[]> {
  const { backups, unreadable } = await store.list()
  for (const one of unreadable) tools.log.warning(`${store.name}: ${one} is no readable manifest and is left alone`)
  const items = backups.map(({ manifest }) => ({
    id: manifest.id,
    created: manifest.created,
    proven: isProven(manifest, store.name),
  }))
  const decisions = decideRetention(items, {
    policy: tools.config.backup.retention,
    now: tools.clock.now(),
    inUse,
  })
  for (const decision of decisions) {
    tools.log.info(
      `${store.name}: ${decision.keep ? "keep" : "remove"} ${decision.id} (${decision.reasons.join(", ")})`,
    )
    const removed = decision.keep ? undefined : backups.find((one) => one.manifest.id === decision.id)
    if (removed) await store.remove(removed.manifest, tools.work)
  }
  return decisions
}
