import { type DrillRecord, drillId } from "../core/drill-record.ts"
import { AppError, failure, inputError, messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import { attempt, type Chosen, secondsBetween } from "./drill/attempt.ts"
import { groundOf } from "./drill/on-runner.ts"
import type { DrillPair } from "./drill/restore-into-scratch.ts"
import { assertDiskRoom, type RoomNeeded } from "./drill/room.ts"
import { clearLeftovers, closeScratch } from "./drill/scratch.ts"
import { servicesOf } from "./stack-services.ts"
import { findBackup, localStore, remoteStore, storesOf } from "./stores.ts"
import type { Tools } from "./tools.ts"

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

export interface DrillReport {
  /** Newest first; none in a dry run. */
  readonly records: readonly DrillRecord[]
  /** Why what a drill made still lies there; undefined when nothing does. The next drill removes it. */
  readonly left: string | undefined
}

/**
 * Proves backups by restoring them: into empty servers in containers of their own, without network, with little of the
 * host's resources. Each service's counts must equal the manifest's, and no check may contradict it. The live services are
 * only asked for settings. The containers and their data are removed whatever happens; the outcome is written beside
 * the manifests, in each store. A copy that is wrong is an outcome and does not end the drill of the others; what keeps one
 * from being tried is thrown, and leaves no record: it says nothing about the copy (S11).
 */
export async function drill(tools: Tools, options: DrillOptions): Promise<DrillReport> {
  const found = await chosen(tools, options)
  const there = await groundOf(tools, options.where)
  await clearLeftovers(tools)
  if (there !== tools) await clearLeftovers(there)
  const records: DrillRecord[] = []
  let left: string | undefined
  const tellLeft = (why: string) => {
    tools.log.warning(`What the drill made could not be removed, the next one does it: ${why}`)
    left = why
  }
  for (const one of found) {
    const record = await drillOne(tools, { ...one, there, earlier: records.at(-1), tellLeft }).catch(
      async (error: unknown) => {
        // Whether it is still there does not matter where nothing can be asked any more: then this error is the one.
        if (tools.signal.aborted || !(await isGone(tools, one).catch(() => false))) throw notTried(one, error)
        return undefined
      },
    )
    if (!record || tools.work.dryRun || (record.result === "failed" && (await isGone(tools, one)))) continue
    await write(tools, record)
    records.push(record)
  }
  if (records.length > 0 || tools.work.dryRun) return { records, left }
  throw failure("backup-gone", "what was to be drilled was removed meanwhile, so nothing was proven", {
    hint: "Drill a backup that retention keeps, such as latest.",
  })
}

/** Retention goes on beside a drill: a backup that it removes while it is restored has not failed. */
async function isGone({ log }: Tools, { manifest, store }: Chosen): Promise<boolean> {
  const { backups } = await store.list()
  if (backups.some((one) => one.manifest.id === manifest.id)) return false
  log.warning(`${manifest.id} was removed from ${store.name} while it was drilled: it is left out`)
  return true
}

function notTried({ manifest, store }: Chosen, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  const told = `the ${store.name} copy of ${manifest.id} could not be drilled, which says nothing about it: ${error.message}`
  return new AppError(error.kind, error.code, told, {
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  })
}

async function chosen(tools: Tools, { backupId, source, newest: most }: DrillOptions): Promise<readonly Chosen[]> {
  if (backupId !== "each") {
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
  /** Hears why what the drill made could not be removed. */
  readonly tellLeft: (why: string) => void
}

async function drillOne(tools: Tools, { manifest, store, there, earlier, tellLeft }: Turn): Promise<DrillRecord> {
  const { config, run, log } = tools
  const pairs = await servicesFor(tools, manifest)
  const where = there === tools ? "host" : "runner"
  await assertDiskRoom(there, roomFor(pairs, { fetches: store.name !== "local" || where === "runner" }))
  const started = await freeStart(tools, earlier)
  log.info(`Drill of ${manifest.id} from ${store.name} in throw-away containers on the ${where}`)
  const outcome = await attempt(tools, { manifest, store, there, pairs, started }).finally(() =>
    // No word about the copy, whose outcome counts.
    closeScratch(there).catch((error: unknown) => tellLeft(messageOf(error))),
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
    rpoSeconds: secondsBetween(Date.parse(manifest.created), started.getTime()),
    ...outcome,
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

/** On the host and in S3: a lost host takes its own records along. Keys that may only read make no drill fail. */
async function write({ stores, work, log, signal }: Tools, record: DrillRecord): Promise<void> {
  await localStore(stores).recordDrill(record, work)
  try {
    await remoteStore(stores)?.recordDrill(record, work)
  } catch (error) {
    if (signal.aborted) throw error
    log.warning(`The record ${record.id} is on the host only: ${messageOf(error)}`)
  }
  for (const { name, state, detail } of record.services.flatMap(({ checks }) => checks))
    if (state === "warning") log.warning(`${record.backup}: ${name}: ${detail}`)
  log.info(`${record.id}: ${record.result}${record.reason ? `, ${record.reason}` : ""}`)
}

/** A moment whose id the drill before does not have: two in one second would be one record. */
async function freeStart({ clock, signal }: Tools, earlier: DrillRecord | undefined): Promise<Date> {
  while (drillId(clock.now()) === earlier?.id) await clock.sleep(200, signal)
  return clock.now()
}
