import { failure, messageOf } from "../core/errors.ts"
import type { Fingerprint, FingerprintDifference } from "../core/fingerprint.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import { change } from "../shell/command.ts"
import { assertSoleServer, ensureRunning, refresh } from "./ensure-running.ts"
import { describeDifferences, fallBack, fingerprints, type Replacement } from "./fall-back.ts"
import { isOurs } from "./is-ours.ts"
import { recordInfrastructure } from "./record-infrastructure.ts"
import { describeRung, type RecreateResult } from "./recreate-result.ts"
import { containerOf, definitions, holdsData, names, type StackService } from "./stack-services.ts"
import { noteStoppedApp, readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { discardDumps, emptyForUpgrade, fillUpgraded } from "./upgrade-data.ts"
import { waitHealthy } from "./wait-healthy.ts"
import { startOnRightData, startWriters, stopWriters } from "./writers.ts"

/**
 * Replaces containers whose data was proven to be in a backup: the app stops, the data services are stopped cleanly, new
 * containers start on the same volumes (after a major upgrade on a new directory, filled from a dump), and the data's
 * fingerprint before and after is compared. Whatever fails before the replacement starts the old containers again; new
 * ones that do not serve the same data give way to what was there before, rung by rung.
 */
export async function replaceContainers(tools: Tools, replacement: Replacement): Promise<Omit<RecreateResult, "plan">> {
  const { services, upgrades, manifest } = replacement
  const before = await stopAll(tools, replacement)
  const dumps = new Map<string, ServiceBackup>()
  const problem = await bringUp(tools, { ...replacement, before, dumps })
  if (problem === undefined) {
    await startWriters(tools)
    await discardDumps(tools, dumps)
    await recordInfrastructure(tools, services, "good")
    const kept = upgrades.map(
      ({ one, upgrade, note }) => `${one.service.name}: the data of ${upgrade.from} is kept in ${note.aside}.`,
    )
    return {
      status: "recreated",
      rung: "new-containers",
      cause: undefined,
      differences: [],
      advice: await adviceOf(tools, replacement),
      kept,
    }
  }
  tools.log.warning(`The new containers do not serve: ${problem}. Putting back what was there before.`)
  const { rung, kept } = await fallBack(tools, replacement, before)
  tools.log.warning(`It is proven that ${describeRung(rung)}`)
  await (rung === "backup" ? startOnRightData(tools) : startWriters(tools))
  await discardDumps(tools, dumps)
  const differences: readonly FingerprintDifference[] =
    rung === "backup"
      ? [{ service: "data", fact: "restored", before: "as it was stopped", after: `as it was at ${manifest.created}` }]
      : []
  return { status: "rolled-back", rung, cause: problem, differences, advice: [], kept }
}

/** Stops the app, then the services, cleanly; the fingerprint of the data that they leave. */
async function stopAll(tools: Tools, { services, manifest, putBack }: Replacement): Promise<readonly Fingerprint[]> {
  const known = services.filter((one) => one.container)
  const data = known.filter(holdsData)
  try {
    const running = await ensureRunning(tools, data)
    await stopWriters(tools, { awaits: "services", backup: manifest.id })
    const before: Fingerprint[] = []
    for (const one of running) {
      const left = await one.driver.stop?.(one.service, containerOf(one), tools.work)
      if (left) before.push(left)
    }
    const others = known.filter((one) => !holdsData(one)).flatMap((one) => one.container ?? [])
    if (others.length > 0) await tools.work.step("stop-services", tools.stack.stop(others))
    for (const one of services.filter(holdsData)) await assertSoleServer(tools, one)
    return before
  } catch (error) {
    if (isOurs(tools, error)) await startAgain(tools, { known, putBack, error })
    throw error
  }
}

interface Failed extends Pick<Replacement, "putBack"> {
  readonly known: readonly StackService[]
  readonly error: unknown
}

/** Back to the old containers, which are all still there. A run that was cut off leaves that to the next one. */
async function startAgain(tools: Tools, { known, putBack, error }: Failed): Promise<void> {
  try {
    await putBack()
    await tools.work.step("start-again", tools.stack.start(known.map(containerOf)))
    await tools.work.check("wait-again", () => waitHealthy(tools, definitions(known)), undefined)
    await startWriters(tools)
  } catch (second) {
    tools.log.warning(`${messageOf(error)}; then the old containers did not start again: ${messageOf(second)}`)
  }
}

interface Attempt extends Replacement {
  readonly before: readonly Fingerprint[]
  /** Gets the dumps that were made, whether or not what comes after them succeeds. */
  readonly dumps: Map<string, ServiceBackup>
}

/** Why the new containers do not serve the data as it was; undefined when they do. */
async function bringUp(
  tools: Tools,
  { services, manifest, upgrades, before, dumps }: Attempt,
): Promise<string | undefined> {
  const { stack, work } = tools
  const upgraded = upgrades.map(({ one }) => one.service.name)
  const same = before.filter(({ service }) => !upgraded.includes(service))
  try {
    for (const [service, dump] of await emptyForUpgrade(tools, upgrades)) dumps.set(service, dump)
    // Whoever is killed from here on leaves to the next run what the data must be before the app may start.
    const earlier = await readStoppedApp(tools)
    const known = { awaits: "services" as const, backup: manifest.id, ...earlier }
    const note = noteStoppedApp(tools.layout, { ...known, fingerprints: [...same] })
    const up = stack.up(names(services), { forceRecreate: true, pull: "never" })
    await work.step("recreate-containers", change`${note} || exit\n${up}`)
    await work.check("wait-healthy", () => waitHealthy(tools, definitions(services)), undefined)
    await fillUpgraded(tools, upgrades, dumps)
    const data = services.filter((one) => same.some(({ service }) => service === one.service.name))
    const after = await work.check("fingerprint", async () => fingerprints(await refresh(tools, data)), same)
    const different = describeDifferences(same, after)
    if (different !== "") throw failure("data-differs", `the data is not what it was: ${different}`)
    return undefined
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    return messageOf(error)
  }
}

/** What other images on the same data, or new ones on data from a dump, leave to a person; told in the log, too. */
async function adviceOf(tools: Tools, { services, upgrades }: Replacement): Promise<readonly string[]> {
  const advice = upgrades.flatMap(({ upgrade }) => upgrade.advice)
  if (!tools.work.dryRun) {
    for (const one of await refresh(tools, services.filter(holdsData)))
      advice.push(...((await one.driver.advise?.(one.service, containerOf(one))) ?? []))
  }
  for (const line of advice) tools.log.warning(line)
  return advice
}
