import { AppError, failure, messageOf } from "../core/errors.ts"
import type { Manifest, ServiceBackup } from "../core/manifest.ts"
import { HostError } from "../host/host.ts"
import type { RestoreReport } from "../service/driver.ts"
import { noteComing } from "./clean-leftovers.ts"
import { noteReplacedInPlace } from "./in-place-note.ts"
import { isOurs } from "./is-ours.ts"
import { noteRestore, noteRestored } from "./restore-note.ts"
import { databasesFirst, restoreService } from "./restore-service.ts"
import { dataServices } from "./stack-services.ts"
import { startAfterFailure, startAfterSuccess } from "./start-after.ts"
import type { Restoring } from "./stopped-app-note.ts"
import { type BackupSource, bringLocal, findBackup } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { undoData } from "./undo-cut-restore.ts"
import { startOnRightData } from "./writers.ts"

export interface RestoreOptions {
  /** `latest` unless told. */
  readonly backupId?: string
  /** `auto` unless told: local first, then S3. */
  readonly source?: BackupSource
  /** Only these services of the backup. */
  readonly services?: readonly string[]
  /** Drop live data before the backup's comes where the disk has no room for both; `force`: also when no proven backup holds it. Never unless told. */
  readonly inPlace?: { readonly force: boolean }
}

export interface RestoreResult extends Omit<RestoreReport, "kept" | "caveat" | "displaced"> {
  readonly backupId: string
  readonly source: "local" | "s3"
  /** One sentence per service: where the replaced data is. */
  readonly kept: readonly string[]
  /** One sentence per service of which something could not be compared exactly. */
  readonly caveats: readonly string[]
  /** One phrase per service of which something is not in the place where it lay. */
  readonly displaced: readonly string[]
}

/**
 * Brings a backup back. Its files are proven before anything stops; then the app stops, every service is restored
 * beside its live data, compared exactly and swapped (S9), and the app starts again. Throws with the data of before in
 * its place when anything is not as the manifest says, but for live data that was dropped as `inPlace` allows. Who is
 * killed on the way leaves the rest to the next run.
 */
export async function restore(tools: Tools, options: RestoreOptions = {}): Promise<RestoreResult> {
  // A name that no service has is a mistake, not a backup that is missing.
  if (options.services) await dataServices(tools, options.services)
  const holding = { services: options.services ?? "all" } as const
  const found = await findBackup(tools, options.backupId ?? "latest", options.source ?? "auto", holding)
  const { manifest } = found
  const wanted = manifest.services.filter((one) => options.services?.includes(one.service) ?? true)
  const missing = options.services?.filter((name) => !wanted.some(({ service }) => service === name)) ?? []
  if (missing.length > 0) throw failure("nothing-to-restore", `${manifest.id} does not hold ${missing.join(", ")}`)
  if (!found.stores.some(({ name }) => name === "local")) await noteComing(tools, manifest)
  const source = await bringLocal(tools, found)
  tools.log.info(`Restoring ${manifest.id} of ${manifest.created} from ${source}`)

  const inPlace = options.inPlace && { ...options.inPlace, dropped: {} }
  await assertRestorable(tools, wanted, inPlace !== undefined)
  await noteRestore(tools, manifest, { services: wanted.map((one) => one.service), inPlace })
  const reports = await restoreAll(tools, manifest, { wanted, inPlace })
  const kept = reports.map((one) => one.kept).filter((one) => one !== "")
  const done = `${manifest.id} is restored`
  await startAfterSuccess(tools, { done, kept, start: () => startOnRightData(tools) })
  const order = databasesFirst(wanted)
  const told = (words: readonly (string | undefined)[]) =>
    words.flatMap((one, index) => (one === undefined ? [] : [`${order[index]?.service}: ${one}`]))
  return {
    backupId: manifest.id,
    source,
    tables: sum(reports.map((one) => one.tables)),
    rows: sum(reports.map((one) => one.rows)),
    keys: sum(reports.map((one) => one.keys)),
    kept,
    caveats: told(reports.map(({ caveat }) => caveat)),
    displaced: told(reports.map(({ displaced }) => displaced)),
  }
}

/** What speaks against it is found while everything still runs. A server that does not answer is seen to when its turn comes. */
async function assertRestorable(tools: Tools, wanted: readonly ServiceBackup[], inPlace: boolean): Promise<void> {
  for (const held of wanted) {
    const [one] = await dataServices(tools, [held.service])
    if (one?.container?.state !== "running") continue
    try {
      await one.driver.assertRestorable?.(one.service, one.container, held, { work: tools.work, inPlace })
    } catch (error) {
      if (error instanceof HostError || !(error instanceof AppError) || error.kind !== "failed") throw error
    }
  }
}

/**
 * Databases first: what is most likely to fail fails before anything was swapped. When one cannot be restored, those that
 * were go back as well, for they belong together, and the app starts on the data of before.
 */
async function restoreAll(
  tools: Tools,
  manifest: Manifest,
  { wanted, inPlace }: { readonly wanted: readonly ServiceBackup[]; readonly inPlace: Restoring["inPlace"] },
): Promise<readonly RestoreReport[]> {
  const reports: RestoreReport[] = []
  try {
    for (const held of databasesFirst(wanted)) {
      reports.push(await restoreService(tools, held, { id: manifest.id, inPlace }))
      await noteRestored(tools, held.service)
    }
    await noteReplacedInPlace(tools)
    return reports
  } catch (error) {
    if (isOurs(tools, error)) return goBack(tools, manifest, error)
    throw error
  }
}

/** What goes wrong on the way back is told, and the note of it stays for the next run: it is `reason`, the restore's error, that counts and is thrown. */
async function goBack(tools: Tools, manifest: Manifest, reason: unknown): Promise<never> {
  let isBack = false
  try {
    await noteReplacedInPlace(tools)
    isBack = await undoData(tools, manifest)
  } catch (error) {
    if (isOurs(tools, error))
      tools.log.warning(`The app stays stopped; going back to the data of before failed: ${messageOf(error)}`)
  }
  if (!isBack) throw reason
  return startAfterFailure(tools, reason, () => startOnRightData(tools))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
