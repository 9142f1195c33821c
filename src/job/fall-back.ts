import { failure, messageOf } from "../core/errors.ts"
import { compareFingerprints, type Fingerprint } from "../core/fingerprint.ts"
import type { Manifest } from "../core/manifest.ts"
import { HostError } from "../host/host.ts"
import { change } from "../shell/command.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import type { PutBack } from "./install-definition.ts"
import { isOurs } from "./is-ours.ts"
import { makeServing } from "./make-serving.ts"
import type { Rung } from "./recreate-result.ts"
import { putDataBack } from "./settle-upgrade.ts"
import { containerOf, definitions, holdsData, names, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import type { PlannedUpgrade } from "./upgrade-data.ts"
import { forgetUpgrades } from "./upgrade-note.ts"
import { waitHealthy } from "./wait-healthy.ts"

/** All that a replacement needs to go forward, and back. */
export interface Replacement {
  /** With their containers from before. */
  readonly services: readonly StackService[]
  readonly manifest: Manifest
  readonly upgrades: readonly PlannedUpgrade[]
  readonly putBack: PutBack
}

/** What serves after the way back. */
export interface FellBack {
  readonly rung: Rung
  /** Where data that gave way is kept. */
  readonly kept: readonly string[]
}

/**
 * The way back from new containers that do not serve the same data, rung by rung, each proven: the previous images and
 * definition on the same data, or on the directory that an upgrade had set aside; where that does not serve either, the
 * backup of this run. Throws when no rung holds.
 */
export async function fallBack(
  tools: Tools,
  replacement: Replacement,
  before: readonly Fingerprint[],
): Promise<FellBack> {
  const { services, upgrades } = replacement
  const known = services.filter((one) => one.container)
  await stopWrong(tools, known, before)
  await stopAdded(tools, services)
  if (upgrades.length > 0)
    await putDataBack(
      tools,
      upgrades.map(({ note }) => note),
    )
  await replacement.putBack()
  const problem = await tryPrevious(tools, known, before)
  if (upgrades.length > 0) await tools.work.step("end-upgrade", forgetUpgrades(tools.layout))
  if (problem === undefined) {
    const kept = upgrades.map(({ note }) => `What the upgrade of ${note.service} had filled is in ${note.failed}.`)
    return upgrades.length > 0 ? { rung: "previous-data", kept } : { rung: "previous-images", kept }
  }
  tools.log.warning(`The previous images do not serve either: ${problem}. Restoring backup ${replacement.manifest.id}.`)
  return { rung: "backup", kept: await restoreBroken(tools, replacement, before) }
}

/** The fingerprints of data services as they run now. */
export async function fingerprints(services: readonly StackService[]): Promise<readonly Fingerprint[]> {
  return Promise.all(services.flatMap((one) => one.driver.fingerprint?.(one.service, containerOf(one)) ?? []))
}

/** One line for each fact that differs; empty when the data is the same. */
export function describeDifferences(before: readonly Fingerprint[], after: readonly Fingerprint[]): string {
  return compareFingerprints(before, after)
    .map((one) => `${one.service} ${one.fact}: ${one.after} instead of ${one.before}`)
    .join("; ")
}

/** Why the previous images do not serve the data as it was; undefined when they do. */
async function tryPrevious(
  tools: Tools,
  services: readonly StackService[],
  before: readonly Fingerprint[],
): Promise<string | undefined> {
  const { stack, work } = tools
  const images = Object.fromEntries(services.map((one) => [one.service.name, containerOf(one).imageId]))
  try {
    const up = stack.up(names(services), { forceRecreate: true, pull: "never", images })
    await work.step("put-images-back", up)
    await work.check("wait-previous", () => waitHealthy(tools, definitions(services)), undefined)
    const data = services.filter(holdsData)
    const after = await work.check("fingerprint-previous", async () => fingerprints(await refresh(tools, data)), before)
    return describeDifferences(before, after) || undefined
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    return messageOf(error)
  }
}

/** Restores those data services that do not serve what they held; the others are left alone. */
async function restoreBroken(
  tools: Tools,
  { services, manifest }: Replacement,
  before: readonly Fingerprint[],
): Promise<readonly string[]> {
  const data = await refresh(
    tools,
    services.filter((one) => one.container && holdsData(one)),
  )
  await stopWrong(tools, data, before)
  const kept: string[] = []
  for (const one of await refresh(tools, data)) {
    if (one.container?.state === "running" && (await isWhole(one, before))) continue
    const held = manifest.services.find(({ service }) => service === one.service.name)
    if (!held || !one.driver.restore) throw failure("cannot-restore", `${one.service.name} cannot be restored`)
    await assertSoleServer(tools, one)
    // A store of keys is restored while it is stopped; a database needs a server, whose unreadable data gives way.
    if (held.contents.kind === "postgres") await makeServing(tools, one, manifest.id)
    const [now] = await refresh(tools, [one])
    const report = await one.driver.restore(one.service, containerOf(now ?? one), held, tools.work)
    kept.push(
      `${one.service.name} was restored as it was at ${manifest.created}; what was written after that is kept. ${report.kept}`,
    )
  }
  await tools.work.check(
    "wait-restored",
    () => waitHealthy(tools, definitions(services.filter((one) => one.container))),
    undefined,
  )
  return kept
}

/**
 * Kills stores of keys that came up with other data than they had: a stop would have them save it over the snapshot
 * that they did not load. A database writes its log as it goes, and is stopped in order.
 */
async function stopWrong(
  tools: Tools,
  services: readonly StackService[],
  before: readonly Fingerprint[],
): Promise<void> {
  for (const one of await refresh(tools, services.filter(isKeyStore))) {
    const { container } = one
    if (!container || !["running", "restarting"].includes(container.state) || (await isWhole(one, before))) continue
    await tools.work.step(`kill-${one.service.name}`, change`docker kill ${container.id}`)
  }
}

function isKeyStore(one: StackService): boolean {
  return holdsData(one) && one.service.kind !== "postgres"
}

async function isWhole(one: StackService, before: readonly Fingerprint[]): Promise<boolean> {
  try {
    const own = before.filter(({ service }) => service === one.service.name)
    return describeDifferences(own, await fingerprints([one])) === ""
  } catch (error) {
    if (error instanceof HostError) throw error
    return false // It does not answer: nothing says that what it would save is what it had.
  }
}

/** Services that came with the new definition are not in the previous one; what they wrote stays in their volumes. */
async function stopAdded(tools: Tools, services: readonly StackService[]): Promise<void> {
  const added = services.filter((one) => !one.container)
  if (added.length === 0) return
  const containers = (await refresh(tools, added)).flatMap((one) => one.container ?? [])
  if (containers.length > 0) await tools.work.step("stop-added", tools.stack.stop(containers))
}
