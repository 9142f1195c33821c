import type { Manifest } from "../core/manifest.ts"
import { change } from "../shell/command.ts"
import { assertConfigured } from "./configured-services.ts"
import { assertSoleServer, atLeastOne } from "./ensure-running.ts"
import { differingFiles, forgetInstalled, installDefinition } from "./install-definition.ts"
import { isOurs } from "./is-ours.ts"
import { assertDataStays, prepareVolumes } from "./keep-volumes.ts"
import { assertDevicesStand, refuseForgottenData } from "./made-volumes.ts"
import { refuseWhileOccupied } from "./occupied.ts"
import { type LostData, lostData } from "./once-held.ts"
import { proveBackup, proveFresh } from "./prove-backup.ts"
import { recordInfrastructure } from "./record-infrastructure.ts"
import { describePlan, planRecreate } from "./recreate-plan.ts"
import type { RecreateResult } from "./recreate-result.ts"
import { replaceContainers, toBeStopped } from "./replace-containers.ts"
import { definitions, holdsData, names, type StackService, servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { findUpgrades, type PlannedUpgrade } from "./upgrade-data.ts"
import { waitHealthy } from "./wait-healthy.ts"
import { startWriters, stopWriters, writersBeside } from "./writers.ts"

export interface RecreateOptions {
  /** Only these infrastructure services; all unless told. */
  readonly services?: readonly string[]
  /** The backup made by this run. Not needed only when the host is proven fresh. */
  readonly backupId?: string
  /** Go on although people are connected to a service that is replaced. */
  readonly endSessions?: boolean | undefined
  /** In a dry run: the backup that this run would have made, of which there is nothing to prove yet. */
  readonly planned?: Manifest | undefined
}

/**
 * Replaces the infrastructure's containers and keeps their data. Runs only with a backup of this run and of this data,
 * or on a host proven fresh (S1); volumes stay (S2); the app is stopped meanwhile and started again. The data's
 * fingerprint is the same afterwards, or what was there before is put back. A data directory that the new image cannot
 * read, of an older major, is dumped and restored into a new one. What is going to happen is told before anything is changed.
 */
export async function recreate(tools: Tools, options: RecreateOptions = {}): Promise<RecreateResult> {
  const changed = await differingFiles(tools)
  const preview = changed.map(({ path, content }) => ({ path, content: Buffer.from(content).toString("utf8") }))
  // The definition as it is going to be: a dry run goes on with it to its end.
  const ahead = preview.length === 0 ? tools : { ...tools, stack: tools.stack.preview(preview) }
  await assertConfigured(ahead)
  const before = atLeastOne(await servicesOf(ahead, "infrastructure", options.services), "service to recreate")
  const files = changed.map(({ path }) => path)
  const plan = await planRecreate(ahead, before, files)
  for (const line of describePlan(plan)) tools.log.info(line)
  if (!options.endSessions) await refuseWhileOccupied(tools, [...before, ...(await writersBeside(ahead, before))])
  await assertDevicesStand(ahead, before)
  const manifest = await prove(ahead, options, before)
  await refuseForgottenData(ahead, manifest ? before.filter((one) => !one.container) : before)
  const lost = manifest ? undefined : await lostData(tools, before)

  const putBack = await installDefinition(tools, changed)
  const acting = tools.work.dryRun ? ahead : tools
  let upgrades: readonly PlannedUpgrade[]
  let services: readonly StackService[]
  try {
    services = await servicesOf(acting, "infrastructure", options.services)
    await acting.work.step("pull-images", acting.stack.pull(definitions(services)), { timeout: 1_800_000 })
    upgrades = manifest ? await findUpgrades(acting, services, manifest) : []
    await assertDataStays(
      acting,
      services,
      upgrades.map(({ one }) => one.service.name),
    )
    const stopped = manifest ? await toBeStopped(acting, services) : []
    for (const one of services.filter(holdsData)) await assertSoleServer(acting, one, { stopped })
    await prepareVolumes(acting, services)
  } catch (error) {
    if (isOurs(tools, error)) await putBack()
    throw error
  }
  const done = manifest
    ? await replaceContainers(acting, { services, manifest, upgrades, putBack })
    : await create(acting, services, lost)
  return { ...done, plan }
}

/**
 * The backup that covers this recreation; undefined when there is no data that one could cover. A data service that the
 * new definition adds is in no backup: it must be empty where that definition puts its data.
 */
async function prove(
  tools: Tools,
  { backupId, planned }: RecreateOptions,
  services: readonly StackService[],
): Promise<Manifest | undefined> {
  const data = services.filter(holdsData)
  if (backupId === undefined) return proveFresh(tools, data)
  const added = data.filter((one) => !one.container)
  if (added.length > 0) await proveFresh(tools, added, { backupId })
  if (tools.work.dryRun && planned?.id === backupId) return planned
  return proveBackup(
    tools,
    backupId,
    data.filter((one) => one.container),
  )
}

/**
 * A first creation. Where backups say that there once was data, the new and empty services are not the same data: the
 * app stays stopped until a restore has brought it back.
 */
async function create(
  tools: Tools,
  services: readonly StackService[],
  lost: LostData | undefined,
): Promise<Omit<RecreateResult, "plan">> {
  if (lost) await stopWriters(tools, { awaits: "restore", backup: lost.backup })
  // From here on the new definition has containers: it stays, whatever comes.
  const up = tools.stack.up(names(services), { noDependencies: true, pull: "never" })
  await tools.work.step("create-containers", change`${forgetInstalled(tools.layout)} || exit\n${up}`)
  await tools.work.check("wait-healthy", () => waitHealthy(tools, definitions(services)), undefined)
  await recordInfrastructure(tools, services)
  if (!lost) await startWriters(tools)
  const differences = lost?.differences ?? []
  return { status: "created", rung: "new-containers", cause: undefined, differences, advice: [], kept: [] }
}
