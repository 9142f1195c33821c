import { sameBytes } from "../core/backup-inventory.ts"
import { formatBytes } from "../core/bytes.ts"
import { failure, messageOf } from "../core/errors.ts"
import { heldBy } from "../core/latest-backup.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven, totals } from "../core/manifest-contents.ts"
import { sh } from "../shell/command.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { removeCopy, retentionItems, retentionOf } from "./apply-retention.ts"
import type { KnownDrills } from "./known-drills.ts"
import { discard, localStore, remoteStore, storedInS3 } from "./stores.ts"
import type { Tools } from "./tools.ts"

/** Missing copies that one run makes good in each store, the newest: a new bucket is filled over several runs. */
const most = 3

/** A copy that was missing in a store. */
export interface RepairedCopy {
  readonly id: string
  readonly store: BackupStore["name"]
  /** Why it is still missing. */
  readonly failure: string | undefined
}

/**
 * Puts the newest backups that one store has proven and the other lacks, or has without some of their files, into the other,
 * proven like any backup, as far as retention would keep them there; the host's disk keeps its free share. What goes wrong
 * is a warning: the copy that there is stays, and the next run tries again.
 */
export async function repairCopies(tools: Tools, drills: KnownDrills): Promise<readonly RepairedCopy[]> {
  const [local, s3] = [localStore(tools.stores), remoteStore(tools.stores)]
  if (!s3) return []
  try {
    if (drills.untold.size > 0) throw failure("drills-unknown", drills.problems.join("; "))
    const lists = { local: await listOf(local), s3: await listOf(s3), drills: drills.records }
    const toS3 = await missing(tools, { from: local, to: s3 }, lists)
    // What is encrypted needs its private key, which a backup has no business with.
    const toLocal = (await missing(tools, { from: s3, to: local }, lists)).filter(
      ({ storage }) => !storage.objects.some(({ encrypted }) => encrypted),
    )
    const repaired: RepairedCopy[] = []
    for (const manifest of toS3) {
      const broken = lists.s3.manifests.find(({ id }) => id === manifest.id)
      repaired.push(await repair(tools, s3, manifest, () => copyToS3(tools, s3, { manifest, broken })))
    }
    for (const manifest of toLocal) {
      const isPublished = lists.local.manifests.some(({ id }) => id === manifest.id)
      repaired.push(
        await repair(tools, local, manifest, () => copyToHost(tools, { s3, local }, { manifest, isPublished })),
      )
    }
    return repaired
  } catch (error) {
    if (tools.signal.aborted) throw error
    tools.log.warning(`Missing copies could not be looked for: ${messageOf(error)}`)
    return []
  }
}

interface StoreList {
  readonly manifests: readonly Manifest[]
  readonly unreadable: readonly string[]
  readonly lacking: ReadonlyMap<string, readonly string[]>
}

interface Lists extends Readonly<Record<BackupStore["name"], StoreList>> {
  readonly drills: KnownDrills["records"]
}

interface Way {
  readonly from: BackupStore
  readonly to: BackupStore
}

async function listOf(store: BackupStore): Promise<StoreList> {
  const { backups, unreadable } = await store.list()
  const manifests = backups.map(({ manifest }) => manifest)
  return { manifests, unreadable, lacking: await store.lacking(manifests) }
}

/** Newest first. One whose manifest is there but cannot be read is left to a person: it would have to be written over. */
async function missing(tools: Tools, { from, to }: Way, { drills, ...lists }: Lists): Promise<readonly Manifest[]> {
  const there = lists[to.name]
  const lacking = lists[from.name].manifests.filter(
    (one) =>
      isProven(one, from.name, drills) && lacks(there, one) && !there.unreadable.some((line) => line.includes(one.id)),
  )
  if (lacking.length === 0) return []
  const items = [
    ...retentionItems(
      to.name,
      there.manifests.filter((one) => !lacking.some(({ id }) => id === one.id)),
      { drills, lacking: there.lacking },
    ),
    ...lacking.map((one) => ({ id: one.id, created: one.created, holds: heldBy(one), proven: true })),
  ]
  const wanted = (await retentionOf(tools, items)).filter(
    // What stays only because a clock was wrong may be there no more for a good reason.
    ({ keep, reasons }) => keep && reasons.some((one) => one !== "clock"),
  )
  return lacking.filter(({ id }) => wanted.some((one) => one.id === id)).slice(0, most)
}

/** One of which there are files, and a manifest that names other bytes, is not the same backup. */
function lacks({ manifests, lacking }: StoreList, backup: Manifest): boolean {
  const copy = manifests.find(({ id }) => id === backup.id)
  return copy === undefined || (lacking.has(backup.id) && sameBytes(copy, backup))
}

async function repair(
  tools: Tools,
  { name }: BackupStore,
  { id }: Manifest,
  copy: () => Promise<void>,
): Promise<RepairedCopy> {
  try {
    await copy()
    tools.log.info(`${name}: the missing copy of ${id} is there again`)
    return { id, store: name, failure: undefined }
  } catch (error) {
    if (tools.signal.aborted) throw error
    tools.log.warning(`${name}: the missing copy of ${id} could not be made: ${messageOf(error)}`)
    return { id, store: name, failure: messageOf(error) }
  }
}

/**
 * Only bytes that still are what their manifest says go up. A copy that lacks files cannot be restored: it makes place once
 * these bytes are proven, for a manifest is never written over.
 */
async function copyToS3(
  tools: Tools,
  s3: BackupStore,
  { manifest, broken }: { readonly manifest: Manifest; readonly broken: Manifest | undefined },
): Promise<void> {
  await localStore(tools.stores).fetch(manifest, tools.work)
  if (broken) await removeCopy(tools, s3, broken)
  try {
    const report = await s3.putArtifacts(manifest, tools.work)
    await s3.putManifest(storedInS3(manifest, report), tools.work)
  } catch (error) {
    await discard({ ...tools, stores: [s3] }, manifest, error)
    throw error
  }
}

async function copyToHost(
  tools: Tools,
  { s3, local }: { readonly s3: BackupStore; readonly local: BackupStore },
  { manifest, isPublished }: { readonly manifest: Manifest; readonly isPublished: boolean },
): Promise<void> {
  await assertRoom(tools, totals(manifest.services).bytes)
  await s3.fetch(manifest, tools.work)
  await local.putArtifacts(manifest, tools.work)
  if (!isPublished) await local.putManifest(manifest, tools.work)
}

/** An old backup that S3 has anyway must not take the room that the live data needs. */
async function assertRoom({ host, layout, config }: Tools, bytes: number): Promise<void> {
  const { stdout } = await host.run(sh`df -Pk ${layout.backups}`)
  const [, size, free] = /\s(\d+)\s+\d+\s+(\d+)\s+\d+%\s[^\n]*\s*$/.exec(stdout) ?? []
  if (size === undefined || free === undefined)
    throw failure("host-answer", `the size of the disk under ${layout.backups} cannot be read`)
  const left = Number(free) * 1024 - bytes
  const share = config.thresholds["disk-free"]
  if (left >= Number(size) * 1024 * share) return
  throw failure(
    "disk-full",
    `${formatBytes(bytes)} more would leave less than ${share * 100} % of the disk under ${layout.backups} free`,
  )
}
