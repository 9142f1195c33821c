import type { FingerprintDifference } from "../core/fingerprint.ts"
import { atLeastOne } from "./ensure-running.ts"
import { installDefinition } from "./install-definition.ts"
import { assertDataStays, prepareVolumes } from "./keep-volumes.ts"
import { proveBackup, proveFresh } from "./prove-backup.ts"
import { recordInfrastructure } from "./record-infrastructure.ts"
import { type RecreateResult, replaceContainers } from "./replace-containers.ts"
import { definitions, holdsData, names, type StackService, servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"
import { startWriters, stopWriters } from "./writers.ts"

export interface RecreateOptions {
  /** Only these infrastructure services; all unless told. */
  readonly services?: readonly string[]
  /** The backup made by this run. Not needed only when the host is proven fresh. */
  readonly backupId?: string
  /** Whether a dry run of `backup` named this id: then there is nothing to prove yet. Without meaning outside of a dry run. */
  readonly isPlanned?: boolean
}

/**
 * Replaces the infrastructure's containers and keeps their data. Runs only with a backup of this run and of this data,
 * or on a host proven fresh (S1); volumes stay (S2); the app is stopped meanwhile and started again. The data's
 * fingerprint before and after tells whether a restore is needed; the app then stays stopped for it.
 */
export async function recreate(tools: Tools, options: RecreateOptions = {}): Promise<RecreateResult> {
  const before = atLeastOne(await servicesOf(tools, "infrastructure", options.services), "service to recreate")
  const backup = await prove(tools, options, before)
  const putBack = await installDefinition(tools)
  let services: readonly StackService[]
  try {
    services = await servicesOf(tools, "infrastructure", options.services)
    await assertDataStays(tools, services)
    await prepareVolumes(tools, services)
    await tools.work.step("pull-images", tools.stack.pull(definitions(services)), { timeout: 1_800_000 })
  } catch (error) {
    await putBack()
    throw error
  }
  return backup === undefined ? create(tools, services) : replaceContainers(tools, services, { putBack, backup })
}

/** Id of the backup that covers this recreation; undefined when there is no data that one could cover. */
async function prove(
  tools: Tools,
  { backupId, isPlanned = false }: RecreateOptions,
  services: readonly StackService[],
): Promise<string | undefined> {
  const data = services.filter(holdsData)
  if (backupId === undefined) return proveFresh(tools, data)
  if (tools.work.dryRun && isPlanned) return backupId
  return (await proveBackup(tools, backupId, data)).id
}

/**
 * A first creation. Where backups say that there once was data, the new and empty services are not the same data: the
 * app stays stopped until a restore has brought it back.
 */
async function create(tools: Tools, services: readonly StackService[]): Promise<RecreateResult> {
  const lost = await lostData(tools)
  if (lost) await stopWriters(tools, { awaits: "restore", backup: lost.backup })
  await tools.work.step("create-containers", tools.stack.up(names(services), { pull: "never" }))
  await tools.work.check("wait-healthy", () => waitHealthy(tools, definitions(services)), undefined)
  await recordInfrastructure(tools, services, "good")
  if (!lost) await startWriters(tools)
  return { status: "created", cause: undefined, differences: lost?.differences ?? [] }
}

interface LostData {
  /** The newest backup of it. */
  readonly backup: string
  readonly differences: readonly FingerprintDifference[]
}

async function lostData(tools: Tools): Promise<LostData | undefined> {
  const lists = await Promise.all(tools.stores.map(async (store) => ({ store, ...(await store.list()) })))
  const found = lists.find((one) => one.backups.length > 0)
  const [newest] = found?.backups ?? []
  if (!found || !newest) return undefined
  const { id } = newest.manifest
  tools.log.warning(`The host has no data, but ${found.store.name} has backups of it, the newest is ${id}`)
  const before = `backup ${id} in ${found.store.name}`
  return { backup: id, differences: [{ service: "all", fact: "data", before, after: "nothing" }] }
}
