import { messageOf } from "../core/errors.ts"
import type { Fingerprint } from "../core/fingerprint.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import { type Container, isRunning } from "../docker/stack.ts"
import { change } from "../shell/command.ts"
import { dumpKeys, ofKeys, tellDumps } from "./dump-keys.ts"
import { assertSoleServer, ensureRunning, refresh } from "./ensure-running.ts"
import { type FellBack, fallBack, type Replacement } from "./fall-back.ts"
import { isOurs } from "./is-ours.ts"
import { recordInfrastructure } from "./record-infrastructure.ts"
import { describeRung, type RecreateResult } from "./recreate-result.ts"
import { containerOf, definitions, holdsData, names, type StackService } from "./stack-services.ts"
import { type NotStarted, tryCompared } from "./start-compared.ts"
import { stopInOrder, stopTimeout } from "./stop-in-order.ts"
import type { Stopped } from "./stop-new.ts"
import { afterComparing, noteStoppedApp, readStoppedApp, type StoppedAppNote } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { discardDumps, emptyForUpgrade, fillUpgraded } from "./upgrade-data.ts"
import { waitHealthy } from "./wait-healthy.ts"
import {
  appContainers,
  startOnRightData,
  startWriters,
  stopWriters,
  waitsForRestore,
  writersBeside,
} from "./writers.ts"

/**
 * Replaces containers whose data was proven to be in a backup: the app stops, then the rest and whoever else may write, the
 * data services last and cleanly; these start first, on the same volumes (after a major upgrade on a new directory, filled from a dump), and the
 * data's fingerprint before and after is compared before anything else starts that could write. Whatever fails before the replacement starts the old containers again; new
 * ones that do not serve the same data give way to what was there before, rung by rung.
 */
export async function replaceContainers(tools: Tools, replacement: Replacement): Promise<Omit<RecreateResult, "plan">> {
  const { services, upgrades } = replacement
  const beside = await writersBeside(tools, services)
  const dumps = new Map<string, ServiceBackup>()
  const before = await stopAll(tools, { ...replacement, dumps }, beside)
  const failed = await bringUpOrTell(tools, { ...replacement, before, dumps }, beside)
  if (!failed) {
    await startBeside(tools, beside)
    await startWriters(tools)
    await discardDumps(tools, dumps)
    await recordInfrastructure(tools, services)
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
  const problem = messageOf(failed.error)
  tools.log.warning(`The new containers do not serve: ${problem}. Putting back what was there before.`)
  const stopped = { before, proven: failed.proven, dumps }
  const { rung, kept, differences } = await fallBackOrTell(tools, replacement, { ...stopped, beside })
  tools.log.warning(`It is proven that ${describeRung(rung)}`)
  await startBeside(tools, beside)
  // What another backup was to bring back is not what this run's holds.
  await (rung === "backup" && !(await waitsForRestore(tools)) ? startOnRightData(tools) : startWriters(tools))
  await discardDumps(tools, dumps)
  return { status: "rolled-back", rung, cause: problem, differences, advice: [], kept }
}

/** Ids of all containers that `replaceContainers` stops before it starts a data service. */
export async function toBeStopped(tools: Tools, services: readonly StackService[]): Promise<readonly string[]> {
  const rest = [...services.filter((one) => !holdsData(one)), ...(await writersBeside(tools, services))]
  const servers = services.filter(holdsData).flatMap((one) => one.container ?? [])
  const app = (await appContainers(tools)).containers
  return [...servers, ...rest.flatMap((one) => one.copies), ...app].map(({ id }) => id)
}

/** Nothing new was started, and nothing old may be, when somebody came to the data meanwhile: what is down is told. */
async function bringUpOrTell(
  tools: Tools,
  attempt: Attempt,
  beside: readonly StackService[],
): Promise<NotStarted | undefined> {
  try {
    return await bringUp(tools, attempt)
  } catch (error) {
    if (isOurs(tools, error)) {
      const down = names([...attempt.services, ...beside]).join(", ")
      tools.log.warning(
        `Stopped are the app and ${down}; their data is as it was. Mend what the message names, then run this or a backup: the next run starts them again.`,
      )
    }
    throw error
  }
}

/** Where the way back fails, a person finds what was dumped for it, and learns what is down. */
async function fallBackOrTell(
  tools: Tools,
  replacement: Replacement,
  stopped: Stopped & Pick<Attempt, "dumps"> & { readonly beside: readonly StackService[] },
): Promise<FellBack> {
  try {
    return await fallBack(tools, replacement, stopped)
  } catch (error) {
    tellDumps(tools, ofKeys(stopped.dumps))
    if (isOurs(tools, error))
      tools.log.warning(
        `The app is stopped, and of ${names([...replacement.services, ...stopped.beside]).join(", ")} not all serve. Mend what the message names, then run this or a backup: the next run goes on from here.`,
      )
    throw error
  }
}

/** Stops the app, then whatever else may write to the data services, then these, cleanly; the fingerprint of the data that they leave. */
async function stopAll(
  tools: Tools,
  { services, manifest, putBack, dumps }: Omit<Attempt, "before">,
  beside: readonly StackService[],
): Promise<readonly Fingerprint[]> {
  const known = services.filter((one) => one.container)
  const data = known.filter(holdsData)
  try {
    const running = await ensureRunning(tools, data)
    await stopWriters(tools, { awaits: "services", backup: manifest.id })
    const rest = [...known.filter((one) => !holdsData(one)), ...beside]
    const [others, order] = [rest.flatMap((one) => one.copies), definitions(rest)]
    if (others.length > 0)
      await tools.work.step("stop-services", stopInOrder(tools.stack, order, others), { timeout: stopTimeout(order) })
    const before: Fingerprint[] = []
    for (const one of running) {
      const dump = await dumpKeys(tools, one)
      if (dump) dumps.set(one.service.name, dump)
      const left = await one.driver.stop?.(one.service, containerOf(one), tools.work)
      if (left) before.push(left)
    }
    return before
  } catch (error) {
    if (isOurs(tools, error)) await startAgain(tools, { known: [...known, ...beside], putBack, error })
    throw error
  }
}

/** The copies that ran before they were stopped; where none did, the one that stands for the service. */
function copiesToStart(one: StackService): readonly Container[] {
  const ran = one.copies.filter(isRunning)
  return ran.length > 0 ? ran : [containerOf(one)]
}

interface Failed extends Pick<Replacement, "putBack"> {
  readonly known: readonly StackService[]
  readonly error: unknown
}

/**
 * Back to the old containers, which are all still there, unless somebody else serves their data by now (S13). A run that was
 * cut off leaves that to the next one.
 */
async function startAgain(tools: Tools, { known, putBack, error }: Failed): Promise<void> {
  try {
    await putBack()
    for (const one of known.filter(holdsData)) await assertSoleServer(tools, one)
    await tools.work.step("start-again", tools.stack.start(known.flatMap(copiesToStart)))
    await tools.work.check("wait-again", () => waitHealthy(tools, definitions(known)), undefined)
    await startWriters(tools)
  } catch (second) {
    tools.log.warning(`${messageOf(error)}; then the old containers did not start again: ${messageOf(second)}`)
  }
}

/** Back as they were, once the data that they may write to is compared: it is not to be compared with what it was any more. */
async function startBeside(tools: Tools, beside: readonly StackService[]): Promise<void> {
  if (beside.length === 0) return
  const start = tools.stack.start(beside.flatMap(copiesToStart))
  await tools.work.step("start-beside", afterComparing(tools.layout, await readStoppedApp(tools), start))
  await tools.work.check("wait-beside", () => waitHealthy(tools, definitions(beside)), undefined)
}

interface Attempt extends Replacement {
  readonly before: readonly Fingerprint[]
  /** Gets the dumps that were made, whether or not what comes after them succeeds. */
  readonly dumps: Map<string, ServiceBackup>
}

/** Why the new containers do not serve the data as it was; undefined when they do. */
async function bringUp(tools: Tools, attempt: Attempt): Promise<NotStarted | undefined> {
  const { services, upgrades, before, dumps } = attempt
  const upgraded = upgrades.map(({ one }) => one.service.name)
  const same = before.filter(({ service }) => !upgraded.includes(service))
  let left = same
  let note: Omit<StoppedAppNote, "fingerprints">
  try {
    for (const [service, dump] of await emptyForUpgrade(tools, upgrades)) dumps.set(service, dump)
    note = await noteOf(tools, attempt)
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    return { error, differences: [], proven: false }
  }
  // Whoever is killed from here on leaves to the next run the way back, and what the data must be before anything writes.
  const noted = () => noteStoppedApp(tools.layout, { ...note, fingerprints: [...left] })
  const fill = async () => {
    // No previous image serves what the new server holds.
    note = note.previous ? { ...note, previous: {} } : note
    await fillUpgraded(tools, upgrades, { dumps, noWayBack: noted() })
  }
  return tryCompared(tools, {
    ...{ services, before: same },
    step: { start: "recreate-containers", wait: "wait-healthy", compare: "fingerprint" },
    up: (some) => {
      const up = tools.stack.up(some, { forceRecreate: true, noDependencies: true, pull: "never" })
      return change`${noted()} || exit\n${up}`
    },
    ...(upgrades.length > 0 && { fill }),
    same: () => {
      left = []
    },
  })
}

/** Where an earlier run left word that a restore has to come first, that stands, with whatever services. */
async function noteOf(
  tools: Tools,
  { services, manifest, dumps }: Attempt,
): Promise<Omit<StoppedAppNote, "fingerprints">> {
  const earlier = await readStoppedApp(tools)
  if (earlier?.awaits === "restore") return earlier
  const previous = Object.fromEntries(services.map((one) => [one.service.name, one.container?.imageId ?? null]))
  return { awaits: "services", backup: manifest.id, ...earlier, previous, dumps: ofKeys(dumps) }
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
