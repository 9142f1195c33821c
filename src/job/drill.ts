import { type DrillRecord, drillFile, drillId, printDrillRecord } from "../core/drill-record.ts"
import { AppError, failure, inputError, messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { type DrillPair, restoreIntoScratch } from "./drill/restore-into-scratch.ts"
import { assertDiskRoom, type RoomNeeded } from "./drill/room.ts"
import { clearLeftovers, closeScratch, scratchFolder } from "./drill/scratch.ts"
import { servicesOf } from "./stack-services.ts"
import { findBackup } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { passed } from "./verify.ts"

export interface DrillOptions {
  /** An id, `latest`, or `each` for every backup that the source has. */
  readonly backupId: string
  /** Whose copy is tried. There is no falling back to the other one: that would hide a bad copy. */
  readonly source: "local" | "s3"
}

/**
 * Proves backups by restoring them: into empty servers in containers of their own, without network, with little of the
 * host's resources. Each service's counts must equal the manifest's, and its checks must pass. The live services are
 * only asked for settings. The containers and their data are removed whatever happens; the outcome is written beside
 * the manifest. A backup that fails is an outcome and does not end the drill of the others; want of room refuses. A dry
 * run gives no record.
 */
export async function drill(tools: Tools, options: DrillOptions): Promise<readonly DrillRecord[]> {
  const found = await chosen(tools, options)
  await clearLeftovers(tools)
  const records: DrillRecord[] = []
  for (const one of found) {
    const record = await drillOne(tools, one, records.at(-1))
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

async function chosen(tools: Tools, { backupId, source }: DrillOptions): Promise<readonly Chosen[]> {
  if (backupId !== "each") {
    const { manifest, stores } = await findBackup(tools, backupId, source, { services: "all" })
    return stores.slice(0, 1).map((store) => ({ manifest, store }))
  }
  const newest = await findBackup(tools, "latest", source)
  const [store] = newest.stores
  if (!store) throw failure("no-such-store", `there is no store ${source}`)
  return (await store.list()).backups.map(({ manifest }) => ({ manifest, store }))
}

async function drillOne(tools: Tools, { manifest, store }: Chosen, earlier?: DrillRecord): Promise<DrillRecord> {
  const { config, run, log } = tools
  const pairs = await servicesFor(tools, manifest)
  await assertDiskRoom(tools, roomFor(pairs, store))
  const started = await freeStart(tools, earlier)
  log.info(`Drill of ${manifest.id} from ${store.name} in throw-away containers`)
  const outcome = await attempt(tools, { manifest, store, pairs, started })
  const kept = await closeScratch(tools).then(
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
    started: started.toISOString(),
    run: { id: run.id, url: run.url, actor: run.actor },
    ...outcome,
    rpoSeconds: secondsBetween(Date.parse(manifest.created), started.getTime()),
    ...(kept === undefined ? {} : { result: "failed", reason: [outcome.reason, kept].filter(Boolean).join("; ") }),
  }
}

type Attempt = Pick<DrillRecord, "result" | "reason" | "rtoSeconds" | "services">

interface AttemptOptions extends Chosen {
  readonly pairs: readonly DrillPair[]
  readonly started: Date
}

/** Want of memory refuses; whatever else goes wrong is the outcome. */
async function attempt(tools: Tools, { manifest, store, pairs, started }: AttemptOptions): Promise<Attempt> {
  try {
    const backups = await bring(tools, manifest, store)
    const { services, usable } = await restoreIntoScratch(tools, pairs, backups)
    const bad = services.flatMap(({ checks }) => checks).filter((check) => !passed(check))
    const reason = bad.map(({ name, detail }) => `${name}: ${detail}`).join("; ")
    const rtoSeconds = secondsBetween(started.getTime(), usable)
    return { result: bad.length > 0 ? "failed" : "success", reason, rtoSeconds, services: [...services] }
  } catch (error) {
    if (tools.signal.aborted || (error instanceof AppError && error.code === "memory")) {
      await closeScratch(tools)
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

function roomFor(pairs: readonly DrillPair[], store: BackupStore): RoomNeeded {
  const stored = pairs.flatMap(({ backup }) => backup.artifacts).reduce((sum, { bytes }) => sum + bytes, 0)
  const data = pairs.reduce((sum, { one, backup }) => sum + (one.driver.scratch?.needs(backup).disk ?? 0), 0)
  return { data, files: store.name === "local" ? 0 : stored }
}

/** The directory where the backup's files lie, proven: the local ones where they are, others fetched beside them. */
async function bring(tools: Tools, manifest: Manifest, store: BackupStore): Promise<string> {
  const folder = store.name === "local" ? tools.layout.backups : scratchFolder(tools)
  await store.fetch(manifest, tools.work, folder)
  return folder
}

/** Never over a record that is there. */
async function write({ layout, work, log }: Tools, record: DrillRecord): Promise<void> {
  const text = printDrillRecord(record)
  const args = [layout.backups, drillFile(record.id), Buffer.byteLength(text)]
  await work.step("record-drill", script("change", remoteScript("store-write"), args), { input: text })
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
