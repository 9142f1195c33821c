import { backupTime } from "../core/backup-id.ts"
import type { DrillRecord } from "../core/drill-record.ts"
import { AppError, failure, messageOf } from "../core/errors.ts"
import { comingToHold, heldBy } from "../core/latest-backup.ts"
import { begunOf } from "../core/leftovers.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import { backupsInUse } from "../core/release.ts"
import {
  decideRetention,
  decideRetentionBefore,
  type RetentionDecision,
  type RetentionItem,
} from "../core/retention.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { noteBegun } from "./clean-leftovers.ts"
import { hostNow } from "./host-now.ts"
import { heldFor, readReplacedInPlace } from "./in-place-note.ts"
import { isOurs } from "./is-ours.ts"
import { type KnownDrills, knownDrills } from "./known-drills.ts"
import { readHistory } from "./release-history.ts"
import { readStoppedApp } from "./stopped-app-note.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

export interface RetentionReport {
  readonly store: BackupStore["name"]
  readonly decisions: readonly RetentionDecision[]
  /** Ids of what is gone now. */
  readonly removed: readonly string[]
  /** Why not all of them could be carried out. */
  readonly failure: string | undefined
}

/**
 * Applies the retention policy to each store from its own list (S8) and what drills are known to have shown, and says why each backup stays. What goes
 * wrong is a warning and told in the report: the backups are good, and the next run tries again. `just` is the backup
 * that this run made, if it made one: it always stays, and so does the one that a stopped app waits for, and for 14 days one that
 * holds what a restore in place dropped.
 */
export async function applyRetention(
  tools: Tools,
  drills: KnownDrills,
  just?: string,
): Promise<readonly RetentionReport[]> {
  const reports: RetentionReport[] = []
  for (const store of tools.stores) reports.push(await applyTo(tools, store, { drills, just }))
  return reports
}

/** Removes from the host, before a backup of these services is made, what it will push out (`prune-first`). Warns when it cannot. */
export async function pruneFirst(tools: Tools, services: readonly string[]): Promise<void> {
  const local = localStore(tools.stores)
  await applyTo(tools, local, { drills: await knownDrills(tools, [local]), coming: services })
}

/** When it is decided: after a run made `just`, or before a backup is made that holds these. */
export interface RetentionMoment {
  readonly just?: string | undefined
  readonly before?: readonly string[]
}

interface Application extends Pick<RetentionMoment, "just"> {
  readonly drills: KnownDrills
  /** Services of which a backup is about to be made. */
  readonly coming?: readonly string[]
}

async function applyTo(
  tools: Tools,
  store: BackupStore,
  { drills, just, coming }: Application,
): Promise<RetentionReport> {
  let decisions: readonly RetentionDecision[] = []
  const removed: string[] = []
  try {
    assertTold(drills, store.name)
    const { backups, unreadable } = await store.list()
    for (const one of unreadable) tools.log.warning(`${store.name}: ${one} is no readable manifest and is left alone`)
    const manifests = backups.map(({ manifest }) => manifest)
    const before = coming && comingToHold(coming, manifests, (name) => tools.config.services[name]?.databases)
    const moment = { just, ...(before && { before }) }
    const lacking = await store.lacking(manifests)
    const items = retentionItems(store.name, manifests, { drills: drills.records, lacking })
    decisions = await retentionOf(tools, items, moment)
    const doubt = clockDoubt(store.name, decisions)
    if (doubt !== undefined) tools.log.warning(doubt)
    await carryOut(tools, store, { manifests, decisions, removed })
    return { store: store.name, decisions, removed, failure: undefined }
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    tools.log.warning(`Retention of ${store.name} could not be applied: ${messageOf(error)}`)
    return { store: store.name, decisions, removed, failure: messageOf(error) }
  }
}

/** Every drill is recorded on the host, and in S3 beside the copies that outlive a host. */
function assertTold({ untold, problems }: KnownDrills, store: BackupStore["name"]): void {
  if (untold.has("local") || untold.has(store))
    throw failure("drills-unknown", `what drills have shown is not known: ${problems.join("; ")}`)
}

interface Seen {
  readonly drills: readonly DrillRecord[]
  /** What `BackupStore.lacking` says of them. */
  readonly lacking: ReadonlyMap<string, readonly string[]>
}

/**
 * The backups of one store's list as its retention counts them: one whose last drill failed, or that has lost a file, costs
 * no other its place.
 */
export function retentionItems(
  store: BackupStore["name"],
  manifests: readonly Manifest[],
  { drills, lacking }: Seen,
): readonly RetentionItem[] {
  return manifests.map((manifest) => ({
    id: manifest.id,
    created: manifest.created,
    holds: heldBy(manifest),
    proven: isProven(manifest, store, drills) && !lacking.has(manifest.id),
    lockedUntil: store === "s3" ? manifest.storage.lockedUntil : undefined,
  }))
}

/** One sentence where the dates of a store's backups show a wrong clock, so that retention removes none of them. */
export function clockDoubt(store: BackupStore["name"], decisions: readonly RetentionDecision[]): string | undefined {
  if (!decisions.some(({ reasons }) => reasons.some((one) => one === "clock"))) return undefined
  return `${store}: nothing is removed: a backup is dated after now, or after the one just made, so a clock is wrong, or was, and which are the newest is not known`
}

/** What the policy decides about the backups of one store, newest first, by the host's clock, which dates them. Changes nothing. */
export async function retentionOf(
  tools: Pick<Tools, "config" | "host" | "layout" | "log">,
  items: readonly RetentionItem[],
  { just, before }: RetentionMoment = {},
): Promise<readonly RetentionDecision[]> {
  const now = await hostNow(tools)
  const [history, stopped, replaced] = await Promise.all([
    readHistory(tools),
    readStoppedApp(tools),
    readReplacedInPlace(tools),
  ])
  const inUse = new Set(backupsInUse(history))
  const young = Object.values(replaced).filter(({ at }) => now.getTime() - Date.parse(at) < heldFor)
  const dropped = [...Object.values(stopped?.restoring?.inPlace?.dropped ?? {}), ...young.map(({ held }) => held)]
  for (const id of [stopped?.backup, just, ...dropped]) if (typeof id === "string") inUse.add(id)
  const made = just === undefined ? undefined : backupTime(just)
  const options = { policy: tools.config.backup.retention, now, inUse, made }
  return before ? decideRetentionBefore(items, before, options) : decideRetention(items, options)
}

/** Removes a backup from one store. Whoever is killed between its manifest and its last file leaves the rest to the next backup. */
export async function removeCopy({ work, layout }: Tools, store: BackupStore, manifest: Manifest): Promise<void> {
  const removal = { ...begunOf(manifest), at: manifest.created, from: store.name }
  await work.step(`note-removal-${manifest.id}`, noteBegun(layout, removal))
  await store.remove(manifest, work)
}

interface Decided {
  readonly manifests: readonly Manifest[]
  readonly decisions: readonly RetentionDecision[]
  readonly removed: string[]
}

async function carryOut(tools: Tools, store: BackupStore, { manifests, decisions, removed }: Decided): Promise<void> {
  for (const { id, keep, reasons } of decisions) {
    const manifest = manifests.find((one) => one.id === id)
    const until = reasons.some((one) => one === "locked") ? ` until ${manifest?.storage.lockedUntil}` : ""
    tools.log.info(`${store.name}: ${keep ? "keep" : "remove"} ${id} (${reasons.join(", ")}${until})`)
    if (keep || !manifest) continue
    try {
      await removeCopy(tools, store, manifest)
      removed.push(id)
    } catch (error) {
      // Somebody locked it for longer than we did: that is their right, and no reason to keep the others.
      if (!(error instanceof AppError && error.code === "s3-locked")) throw error
      tools.log.info(`${store.name}: ${error.message}`)
    }
  }
}
