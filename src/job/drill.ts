import { type DrillRecord, drillId } from "../core/drill-record.ts"
import { AppError, failure, inputError, messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { bringImages, bringThere, groundOf } from "./drill/on-runner.ts"
import { type DrillPair, restoreIntoScratch } from "./drill/restore-into-scratch.ts"
import { assertDiskRoom, type RoomNeeded } from "./drill/room.ts"
import { clearLeftovers, closeScratch, scratchFolder } from "./drill/scratch.ts"
import { servicesOf } from "./stack-services.ts"
import { findBackup, localStore, remoteStore, storesOf } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { passed } from "./verify.ts"

export interface DrillOptions {
  /** An id, `latest`, or `each` for every backup that the source has. */
  readonly backupId: string
  /** Whose copy is tried. There is no falling back to the other one: that would hide a bad copy. */
  readonly source: "local" | "s3"
  /** With `each`: only so many of the newest; all of them unless told. */
  readonly newest?: number | undefined
  /** Whose Docker runs the throw-away servers: the stack's host, or the machine that runs this. `host` unless told. */
  readonly where?: DrillRecord["where"]
}

/**
 * Proves backups by restoring them: into empty servers in containers of their own, without network, with little of the
 * host's resources. Each service's counts must equal the manifest's, and its checks must pass. The live services are
 * only asked for settings. The containers and their data are removed whatever happens; the outcome is written beside
 * the manifests, in each store. A backup that fails is an outcome and does not end the drill of the others; want of room refuses. A dry
 * run gives no record.
 */
export async function drill(tools: Tools, options: DrillOptions): Promise<readonly DrillRecord[]> {
  const found = await chosen(tools, options)
  const there = await groundOf(tools, options.where)
  await clearLeftovers(tools)
  if (there !== tools) await clearLeftovers(there)
  const records: DrillRecord[] = []
  for (const one of found) {
    const record = await drillOne(tools, { ...one, there, earlier: records.at(-1) })
    if (tools.work.dryRun || (await isGone(tools, one, record))) continue
    await write(tools, record)
    records.push(record)
  }
  if (records.length > 0 || tools.work.dryRun) return records
  throw failure("backup-gone", "what was to be drilled was removed meanwhile, so nothing was proven", {
    hint: "Drill a backup that retention keeps, such as latest.",
  })
}

/** Retention goes on beside a drill: a backup that it removes while it is restored has not failed. */
async function isGone({ log }: Tools, { manifest, store }: Chosen, { result }: DrillRecord): Promise<boolean> {
  if (result === "success") return false
  const { backups } = await store.list()
  if (backups.some((one) => one.manifest.id === manifest.id)) return false
  log.warning(`${manifest.id} was removed from ${store.name} while it was drilled: it is left out`)
  return true
}

interface Chosen {
  readonly manifest: Manifest
  readonly store: BackupStore
}

async function chosen(tools: Tools, { backupId, source, newest: most }: DrillOptions): Promise<readonly Chosen[]> {
  if (backupId !== "each") {
    if (most !== undefined)
      throw inputError("newest-without-each", `newest: ${most} says how many, backup-id: ${backupId} says which`, {
        hint: "Use backup-id: each with it, or leave it out.",
      })
    const { manifest, stores } = await findBackup(tools, backupId, source, { services: "all", drillFailed: true })
    return stores.slice(0, 1).map((store) => ({ manifest, store }))
  }
  const found: Chosen[] = []
  for (const store of storesOf(tools, source)) {
    const { backups, unreadable } = await store.list()
    for (const one of unreadable) tools.log.warning(`${store.name}: ${one} is no readable manifest and is not drilled`)
    for (const { manifest } of backups.slice(0, most)) found.push({ manifest, store })
  }
  if (found.length > 0) return found
  throw inputError("unknown-backup", `backup-id: each, but there is no backup in ${source}`, {
    hint: "Run backup first.",
  })
}

interface Turn extends Chosen {
  /** The tools of the machine where the throw-away servers run. */
  readonly there: Tools
  readonly earlier: DrillRecord | undefined
}

async function drillOne(tools: Tools, { manifest, store, there, earlier }: Turn): Promise<DrillRecord> {
  const { config, run, log } = tools
  const pairs = await servicesFor(tools, manifest)
  const where = there === tools ? "host" : "runner"
  await assertDiskRoom(there, roomFor(pairs, { fetches: store.name !== "local" || where === "runner" }))
  const started = await freeStart(tools, earlier)
  log.info(`Drill of ${manifest.id} from ${store.name} in throw-away containers on the ${where}`)
  const outcome = await attempt(tools, { manifest, store, there, pairs, started })
  const kept = await closeScratch(there).then(
    () => undefined,
    (error: unknown) => `what the drill made could not be removed: ${messageOf(error)}`,
  )
  return {
    format: 1,
    id: drillId(started),
    project: config.project,
    environment: config.environment,
    backup: manifest.id,
    source: store.name,
    where,
    started: started.toISOString(),
    run: { id: run.id, url: run.url, actor: run.actor },
    ...outcome,
    rpoSeconds: secondsBetween(Date.parse(manifest.created), started.getTime()),
    ...verdict(outcome, kept),
  }
}

function verdict(
  { result, reason }: Attempt,
  kept: string | undefined,
): Pick<DrillRecord, "result" | "reason" | "proven"> {
  if (kept !== undefined) return { result: "failed", reason: [reason, kept].filter(Boolean).join("; ") }
  return result === "success" ? { result, reason, proven: "restored" } : { result, reason }
}

type Attempt = Pick<DrillRecord, "result" | "reason" | "rtoSeconds" | "services">

interface AttemptOptions extends Chosen {
  readonly there: Tools
  readonly pairs: readonly DrillPair[]
  readonly started: Date
}

/** Want of memory refuses; whatever else goes wrong is the outcome. */
async function attempt(tools: Tools, { manifest, store, there, pairs, started }: AttemptOptions): Promise<Attempt> {
  try {
    if (there !== tools) await bringImages(tools, there, pairs)
    const backups = await (there === tools
      ? bring(tools, manifest, store)
      : bringThere(tools, there, { manifest, store }))
    const { services, usable } = await restoreIntoScratch(there, pairs, backups)
    const bad = services.flatMap(({ checks }) => checks).filter((check) => !passed(check))
    const reason = bad.map(({ name, detail }) => `${name}: ${detail}`).join("; ")
    const rtoSeconds = secondsBetween(started.getTime(), usable)
    return { result: bad.length > 0 ? "failed" : "success", reason, rtoSeconds, services: [...services] }
  } catch (error) {
    if (tools.signal.aborted || (error instanceof AppError && error.code === "memory")) {
      await closeScratch(there)
      throw error
    }
    return { result: "failed", reason: messageOf(error), rtoSeconds: null, services: [] }
  }
}

/** Every service of the backup with the one of the stack that it would be restored into. */
async function servicesFor(tools: Tools, manifest: Manifest): Promise<readonly DrillPair[]> {
  const known = await servicesOf(tools, "infrastructure")
  return manifest.services.map((backup) => {
    const one = known.find(({ service }) => service.name === backup.service)
    if (one) return { one, backup }
    throw inputError(
      "unknown-service",
      `${manifest.id} holds ${backup.service}, which the stack does not have any more`,
      {
        hint: "Drill a backup of the services that the stack has.",
      },
    )
  })
}

function roomFor(pairs: readonly DrillPair[], { fetches }: { readonly fetches: boolean }): RoomNeeded {
  const stored = pairs.flatMap(({ backup }) => backup.artifacts).reduce((sum, { bytes }) => sum + bytes, 0)
  const data = pairs.reduce((sum, { one, backup }) => sum + (one.driver.scratch?.needs(backup).disk ?? 0), 0)
  return { data, files: fetches ? stored : 0 }
}

/** The directory where the backup's files lie, proven: the local ones where they are, others fetched beside them. */
async function bring(tools: Tools, manifest: Manifest, store: BackupStore): Promise<string> {
  const folder = store.name === "local" ? tools.layout.backups : scratchFolder(tools)
  await store.fetch(manifest, tools.work, folder)
  return folder
}

/** On the host and in S3: a lost host takes its own records along. Keys that may only read make no drill fail. */
async function write({ stores, work, log, signal }: Tools, record: DrillRecord): Promise<void> {
  await localStore(stores).recordDrill(record, work)
  try {
    await remoteStore(stores)?.recordDrill(record, work)
  } catch (error) {
    if (signal.aborted) throw error
    log.warning(`The record ${record.id} is on the host only: ${messageOf(error)}`)
  }
  log.info(`${record.id}: ${record.result}${record.reason ? `, ${record.reason}` : ""}`)
}

/** A moment whose id the drill before does not have: two in one second would be one record. */
async function freeStart({ clock, signal }: Tools, earlier: DrillRecord | undefined): Promise<Date> {
  while (drillId(clock.now()) === earlier?.id) await clock.sleep(200, signal)
  return clock.now()
}

function secondsBetween(from: number, to: number): number {
  return Math.round((to - from) / 100) / 10
}
