import { failure, messageOf } from "../core/errors.ts"
import type { Manifest, ServiceBackup } from "../core/manifest.ts"
import { totals } from "../core/manifest-contents.ts"
import { HostError } from "../host/host.ts"
import type { BackupTarget } from "../service/driver.ts"
import { change } from "../shell/command.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { applyRetention, pruneFirst, type RetentionReport } from "./apply-retention.ts"
import { assertNothingLost } from "./assert-nothing-lost.ts"
import { cleanLeftovers } from "./clean-leftovers.ts"
import { lookConfigured } from "./configured-services.ts"
import { earlierBackups } from "./earlier-backups.ts"
import { atLeastOne, ensureRunning } from "./ensure-running.ts"
import { freeId } from "./free-id.ts"
import { knownDrills } from "./known-drills.ts"
import { type RepairedCopy, repairCopies } from "./repair-copies.ts"
import { containerOf, dataServices, names, type StackService } from "./stack-services.ts"
import { discard, localStore, remoteStore, storedInS3 } from "./stores.ts"
import type { Tools } from "./tools.ts"

export interface BackupOptions {
  /** Only these data services; all unless told. */
  readonly services?: readonly string[]
  /** What is there is going to be dropped: every row's checksum is taken, any loss is believed, earlier backups are left alone. */
  readonly beforeDrop?: boolean
}

export interface BackupResult {
  /** `partial`: the backup is good, but S3 (not required) does not have it. */
  readonly status: "success" | "partial"
  /** In a dry run of what would be made: its id names no backup, its sizes and sums are none. */
  readonly manifest: Manifest
  /** Why S3 does not have it. */
  readonly s3Failure: string | undefined
  /** Copies of earlier backups that a store lacked. */
  readonly repaired: readonly RepairedCopy[]
  readonly retention: readonly RetentionReport[]
}

/**
 * Backs up every data service and proves it (S1): dumps, counts, SHA-256 while writing, full decode of the stored
 * bytes, copies in S3 compared. The manifest is published last, so a backup that was not proven does not exist.
 * Throws on any failure, with nothing half written left behind.
 */
export async function backup(
  tools: Tools,
  { services: chosen, beforeDrop = false }: BackupOptions = {},
): Promise<BackupResult> {
  const { stores, layout, log } = tools
  if (!beforeDrop) await lookConfigured(tools)
  const services = atLeastOne(await dataServices(tools, chosen), "data service to back up")
  const s3 = remoteStore(stores)
  const unreachable = await reach(tools, s3)
  const anyLoss = beforeDrop || tools.config.backup["max-row-loss"] >= 1
  const earlier = await earlierBackups(tools, services, { anyLoss })
  const running = await ensureRunning(tools, services)
  for (const one of stores) await one.prepare(tools.work)

  await cleanLeftovers(tools)
  const named = names(running)
  if (tools.config.backup["prune-first"] && !beforeDrop) await pruneFirst(tools, named)
  const { id, stamp, created } = await freeId(tools, unreachable === undefined ? s3 : undefined, named)
  const what = tools.work.dryRun ? "A backup, here called" : "Backup"
  log.info(`${what} ${id} of ${named.join(", ")} into ${layout.backups}`)
  const { verify, postgres } = tools.config.backup
  const whileWriting = unreachable === undefined && s3 ? beside(tools, s3) : undefined
  const target = {
    id,
    stamp,
    checksums: beforeDrop || verify === "checksum",
    format: postgres.format,
    earlier: earlier.flatMap((one) => one.services),
    warn: (sentence: string) => log.warning(sentence),
    ...(whileWriting && { whileWriting }),
  }
  const done: ServiceBackup[] = []
  const made = await makeBackup().catch(async (error: unknown) => {
    await discard(tools, { id, services: done }, error)
    throw error
  })
  if (beforeDrop) return { ...made, repaired: [], retention: [] }
  const drills = await knownDrills(tools, stores)
  const repaired = made.s3Failure === undefined ? await repairCopies(tools, drills) : []
  return { ...made, repaired, retention: await applyRetention(tools, drills, id) }

  async function makeBackup(): Promise<Omit<BackupResult, "repaired" | "retention">> {
    for (const one of running) done.push(await backupService(tools, one, target))
    if (!tools.work.dryRun && !beforeDrop) assertNothingLost(tools, earlier, done)
    const local = unpublished(tools, { id, created, services: done })
    const stored = unreachable === undefined && s3 ? await store(tools, s3, local) : { failure: unreachable }
    const manifest = stored.manifest ?? local
    await publish(tools, manifest)
    return { status: stored.failure === undefined ? "success" : "partial", manifest, s3Failure: stored.failure }
  }
}

async function backupService(tools: Tools, one: StackService, target: BackupTarget): Promise<ServiceBackup> {
  if (one.driver.backup) return one.driver.backup(one.service, containerOf(one), target, tools.work)
  throw failure("no-backup", `services of kind ${one.service.kind} cannot be backed up`)
}

/** Lets S3 have the beginning of a file while it is being written. */
function beside({ work, log, layout }: Tools, s3: BackupStore): NonNullable<BackupTarget["whileWriting"]> {
  return async (file, dump) => {
    let running = true
    const following = s3.follow?.(file, work, () => running)
    try {
      return await dump()
    } catch (error) {
      // A writer that was killed leaves a file behind that would be waited for.
      const path = `${layout.backups}/${file.file}.partial`
      if (!(error instanceof HostError))
        await work
          .step("remove-partial", change`rm -f ${[path, `${path}.written`]}`)
          .catch((reason) => log.warning(`${file.file}.partial may still be there: ${messageOf(reason)}`))
      throw error
    } finally {
      running = false
      await following
    }
  }
}

/** Why S3 cannot be used although it is on; throws instead where S3 is required. */
async function reach(tools: Tools, s3: BackupStore | undefined): Promise<string | undefined> {
  try {
    await s3?.probe()
    return undefined
  } catch (error) {
    return tolerate(tools, error)
  }
}

/** S3's manifest comes before the local one: were that there and S3 then refused, a failed job would leave a backup that claims both. */
async function store(
  tools: Tools,
  s3: BackupStore,
  manifest: Manifest,
): Promise<{ readonly manifest?: Manifest; readonly failure?: string | undefined }> {
  try {
    const stored = storedInS3(manifest, await s3.putArtifacts(manifest, tools.work))
    await s3.putManifest(stored, tools.work)
    return { manifest: stored }
  } catch (error) {
    const failure = tolerate(tools, error)
    await discard({ ...tools, stores: [s3] }, manifest, error)
    return { failure }
  }
}

/** A failed S3 is a warning only where the policy says so, and never hides that it failed (S11). */
function tolerate(tools: Tools, error: unknown): string {
  if (tools.signal.aborted || (tools.config.backup.s3?.required ?? true)) throw error
  tools.log.warning(`S3 does not have this backup: ${messageOf(error)}`)
  return messageOf(error)
}

async function publish(tools: Tools, manifest: Manifest): Promise<void> {
  await localStore(tools.stores).putManifest(manifest, tools.work)
  if (tools.work.dryRun) return tools.log.info("No backup was made, and nothing is proven")
  const { bytes, tables, rows, keys } = totals(manifest.services)
  tools.log.info(`${manifest.id}: ${bytes} bytes, ${tables} tables with ${rows} rows, ${keys} keys, proven`)
}

function unpublished(
  { config, run }: Tools,
  { id, created, services }: Pick<Manifest, "id" | "created" | "services">,
): Manifest {
  return {
    format: 1,
    id,
    project: config.project,
    environment: config.environment,
    created,
    run: { id: run.id, url: run.url, actor: run.actor },
    encrypted: false,
    services,
    storage: { local: "success", s3: config.backup.s3?.enabled ? "failed" : "off", objects: [] },
  }
}
