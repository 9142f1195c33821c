import { failure } from "../core/errors.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import type { RestoreReport } from "../service/driver.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import { makeServing } from "./make-serving.ts"
import { containerOf, dataServices, type StackService } from "./stack-services.ts"
import { type BackupSource, bringLocal, findBackup } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { startOnRightData, startWriters, stopWriters, waitsForRestore } from "./writers.ts"

export interface RestoreOptions {
  /** `latest` unless told. */
  readonly backupId?: string
  /** `auto` unless told: local first, then S3. */
  readonly source?: BackupSource
  /** Only these services of the backup. */
  readonly services?: readonly string[]
}

export interface RestoreResult extends Omit<RestoreReport, "kept"> {
  readonly backupId: string
  readonly source: "local" | "s3"
  /** One sentence per service: where the replaced data is. */
  readonly kept: readonly string[]
}

/**
 * Brings a backup back. Its files are proven before anything stops; then the app stops, every service is restored
 * beside its live data, compared exactly and swapped (S9), and the app starts again. Throws with the live data
 * untouched when anything is not as the manifest says.
 */
export async function restore(tools: Tools, options: RestoreOptions = {}): Promise<RestoreResult> {
  const holding = { services: options.services ?? "all" } as const
  const found = await findBackup(tools, options.backupId ?? "latest", options.source ?? "auto", holding)
  const { manifest } = found
  const wanted = manifest.services.filter((one) => options.services?.includes(one.service) ?? true)
  const missing = options.services?.filter((name) => !wanted.some(({ service }) => service === name)) ?? []
  if (missing.length > 0) throw failure("nothing-to-restore", `${manifest.id} does not hold ${missing.join(", ")}`)
  const source = await bringLocal(tools, found)
  tools.log.info(`Restoring ${manifest.id} of ${manifest.created} from ${source}`)

  const waited = await waitsForRestore(tools)
  await stopWriters(tools, { awaits: "restore", backup: manifest.id })
  const reports = await restoreAll(tools, wanted, { id: manifest.id, waited: waited !== undefined })
  await startOnRightData(tools)
  return {
    backupId: manifest.id,
    source,
    tables: sum(reports.map((one) => one.tables)),
    rows: sum(reports.map((one) => one.rows)),
    keys: sum(reports.map((one) => one.keys)),
    kept: reports.map((one) => one.kept).filter((one) => one !== ""),
  }
}

/**
 * Databases first: what is most likely to fail fails before anything was swapped, and then the app starts again on its
 * untouched data. After a swap it stays stopped, for its services would no longer belong together.
 */
async function restoreAll(
  tools: Tools,
  wanted: readonly ServiceBackup[],
  { id, waited }: { readonly id: string; readonly waited: boolean },
): Promise<readonly RestoreReport[]> {
  const reports: RestoreReport[] = []
  const ordered = wanted.toSorted(
    (a, b) => Number(b.contents.kind === "postgres") - Number(a.contents.kind === "postgres"),
  )
  for (const held of ordered) {
    try {
      reports.push(await restoreService(tools, held, id))
    } catch (error) {
      if (tools.signal.aborted) throw error
      if (reports.length === 0) await (waited ? startWriters(tools) : startOnRightData(tools))
      else
        tools.log.warning(
          `The app stays stopped: ${reports.map((one) => one.kept).join("; ")}; ${held.service} was not restored`,
        )
      throw error
    }
  }
  return reports
}

async function restoreService(tools: Tools, held: ServiceBackup, id: string): Promise<RestoreReport> {
  const [one] = await dataServices(tools, [held.service])
  if (!one?.driver.restore) throw failure("cannot-restore", `service ${held.service} cannot be restored`)
  assertSameKind(one, held)
  await assertSoleServer(tools, one)
  await makeServing(tools, one, id)
  const [serving] = await refresh(tools, [one])
  return one.driver.restore(one.service, containerOf(serving ?? one), held, tools.work)
}

function assertSameKind({ service }: StackService, held: ServiceBackup): void {
  const isPostgres = held.contents.kind === "postgres"
  if ((service.kind === "postgres") === isPostgres) return
  throw failure(
    "wrong-kind",
    `the backup of ${service.name} is of kind ${held.contents.kind}, the service is ${service.kind}`,
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
