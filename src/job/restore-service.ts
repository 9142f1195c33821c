import { failure, messageOf } from "../core/errors.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import type { RestoreReport } from "../service/driver.ts"
import { assertSoleServer, ensureRunning, refresh } from "./ensure-running.ts"
import { isOurs } from "./is-ours.ts"
import { makeServing } from "./make-serving.ts"
import { allowInPlace } from "./restore-in-place.ts"
import { containerOf, dataServices, type StackService } from "./stack-services.ts"
import type { Restoring } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"

export interface HowRestored {
  /** The backup's. */
  readonly id: string
  /** Whether and how the live data may be dropped first. */
  readonly inPlace: Restoring["inPlace"]
}

/** Says what a restore did not make, or could not show to be, as it was. */
export function warnOf({ log }: Pick<Tools, "log">, service: string, { caveat, displaced }: RestoreReport): void {
  for (const told of [caveat, displaced]) if (told !== undefined) log.warning(`${service}: ${told}`)
}

/** Restores one service from files that are on the host, and says at once where what it replaced is. */
export async function restoreService(tools: Tools, held: ServiceBackup, how: HowRestored): Promise<RestoreReport> {
  const { id } = how
  const [one] = await dataServices(tools, [held.service])
  if (!one?.driver.restore) throw failure("cannot-restore", `service ${held.service} cannot be restored`)
  assertSameKind(one, held)
  await assertSoleServer(tools, one)
  const aside = await getReady(tools, one, id)
  const [ready] = await refresh(tools, [one])
  const place = how.inPlace && allowInPlace(tools, held.service, how.inPlace)
  try {
    const report = await one.driver.restore(one.service, containerOf(ready ?? one), held, tools.work, place)
    const kept = [report.kept, ...(aside === undefined ? [] : [`What it could not read is in ${aside}.`])]
      .concat(place?.told() ?? [])
      .join(" ")
    if (!tools.work.dryRun) tools.log.info(`${held.service} has the data of ${id}. ${kept}`)
    warnOf(tools, held.service, report)
    return { ...report, kept }
  } catch (error) {
    const gone = place?.told()
    if (gone !== undefined && isOurs(tools, error)) throw lost(error, held.service, gone)
    if (aside === undefined) throw error
    throw failure("restore-failed", `${messageOf(error)}; what was there before, unreadable, is in ${aside}`, {
      hint: `${held.service} runs on an empty directory and the app stays stopped. Restore another backup, or this one after its cause is mended.`,
      cause: error,
    })
  }
}

function lost(error: unknown, service: string, gone: string): Error {
  return failure("restore-failed", `${messageOf(error)}; the live data of ${service} had been dropped. ${gone}`, {
    hint: "The app stays stopped. Restore another backup, or this one after its cause is mended; no backup was removed.",
    cause: error,
  })
}

/** The order of a restore. */
export function databasesFirst(services: readonly ServiceBackup[]): readonly ServiceBackup[] {
  return services.toSorted((a, b) => Number(b.contents.kind === "postgres") - Number(a.contents.kind === "postgres"))
}

/** A database needs a server that answers; a store of keys is restored while it is stopped, and only needs a container. */
async function getReady(tools: Tools, one: StackService, id: string): Promise<string | undefined> {
  if (one.driver.dataDirectory) return makeServing(tools, one, id)
  if (!one.container) await createContainer(tools, one)
  return undefined
}

/** On whatever lies there: on a host made anew there is nothing, and nothing to lose. */
async function createContainer(tools: Tools, one: StackService): Promise<void> {
  const up = tools.stack.up([one.service.name], { noRecreate: true, noDependencies: true })
  await tools.work.step("create-service", up, { timeout: 1_800_000 })
  if (!tools.work.dryRun) await ensureRunning(tools, await refresh(tools, [one]))
}

function assertSameKind({ service }: StackService, held: ServiceBackup): void {
  const isPostgres = held.contents.kind === "postgres"
  if ((service.kind === "postgres") === isPostgres) return
  throw failure(
    "wrong-kind",
    `the backup of ${service.name} is of kind ${held.contents.kind}, the service is ${service.kind}`,
  )
}
