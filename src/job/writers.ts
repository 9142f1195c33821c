import type { ServiceKind } from "../core/config.ts"
import { refusal } from "../core/errors.ts"
import { type Container, isRunning, type ServiceDefinition } from "../docker/stack.ts"
import { type Command, lines, sh } from "../shell/command.ts"
import { holdsData, names, type StackService, servicesOf } from "./stack-services.ts"
import { stopInOrder, stopTimeout } from "./stop-in-order.ts"
import { forgetStoppedApp, noteStoppedApp, readStoppedApp, type StoppedAppNote } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/**
 * Stops every running container of the app, those that need others first, within their grace periods, and leaves a note
 * of what has to come before it may start again: whoever is killed before that leaves it to the next run. Where
 * nothing runs, an earlier run's note that a restore has to come first still stands.
 */
export async function stopWriters(tools: Tools, reason: Omit<StoppedAppNote, "fingerprints">): Promise<void> {
  const { services, containers } = await appContainers(tools)
  const running = containers.filter(isRunning)
  const earlier = running.length === 0 ? await readStoppedApp(tools) : undefined
  const stands = earlier?.awaits === "restore" && reason.awaits !== "restore"
  const note = noteStoppedApp(tools.layout, stands ? earlier : { ...reason, fingerprints: [] })
  const commands = [
    note,
    ...((stands ? earlier : reason).awaits === "restore" ? keepStopped(tools.stack, containers) : []),
    ...(running.length > 0 ? [stopInOrder(tools.stack, services, running)] : []),
  ]
  await tools.work.step("stop-writers", lines(sh`set -e`, ...commands), { timeout: stopTimeout(services) })
}

/** Kinds of services that keep nothing in a store of ours: they go on while its data is compared. */
const readers: readonly ServiceKind[] = ["coturn", "http"]

/**
 * What runs of the infrastructure besides these services and may write to the data that they hold, or delete of it: it has to
 * stand still while that is compared.
 */
export async function writersBeside(tools: Tools, services: readonly StackService[]): Promise<readonly StackService[]> {
  if (!services.some(holdsData)) return []
  const named = names(services)
  const others = (await servicesOf(tools, "infrastructure")).filter(({ service }) => !named.includes(service.name))
  return others.filter((one) => !holdsData(one) && !readers.includes(one.service.kind) && one.copies.some(isRunning))
}

/**
 * Shell text after which the engine does not start these containers by itself, as it otherwise does when it starts: then only
 * a person starts the app that waits for a restore. Empty where nothing has to be done.
 */
function keepStopped(stack: Tools["stack"], containers: readonly Container[]): readonly Command[] {
  const startedAnyhow = containers.filter(({ restartPolicy }) => ["always", "on-failure"].includes(restartPolicy))
  return startedAnyhow.length > 0 ? [stack.setRestart(startedAnyhow, "no")] : []
}

/** The same for all of the app. */
export async function keepAppStopped(tools: Tools): Promise<readonly Command[]> {
  return keepStopped(tools.stack, (await appContainers(tools)).containers)
}

/** Shell text that gives containers that never restart by themselves the policy of their definition again. */
function restartAsDefined(
  stack: Tools["stack"],
  services: readonly ServiceDefinition[],
  containers: readonly Container[],
): readonly Command[] {
  return services.flatMap(({ name, restart }) => {
    const kept = containers.filter((one) => one.service === name && one.restartPolicy === "no" && restart !== "no")
    return kept.length > 0 ? [stack.setRestart(kept, restart)] : []
  })
}

/** The app runs although it was to wait for a restore: only a person starts it then, who is taken at their word. */
export async function tellStartedByHand(tools: Tools, { backup = "a backup" }: StoppedAppNote): Promise<void> {
  tools.log.warning(
    `An earlier run noted that ${backup} has to be restored before the app starts, and somebody has started it: that is taken for their decision. Restore it if the data is not what it should be.`,
  )
  const { services, containers } = await appContainers(tools)
  const commands = restartAsDefined(tools.stack, services, containers)
  if (commands.length > 0) await tools.work.step("restart-as-defined", lines(sh`set -e`, ...commands))
}

/** What an earlier run noted when it left the app stopped until its data is restored; not when somebody has started it since. */
export async function waitsForRestore(tools: Tools): Promise<StoppedAppNote | undefined> {
  return stillWaits(tools, await readStoppedApp(tools))
}

/** The same for a note that was read already. */
export async function stillWaits(tools: Tools, note: StoppedAppNote | undefined): Promise<StoppedAppNote | undefined> {
  if (note?.awaits !== "restore" || (await appRuns(tools))) return undefined
  return note
}

/** Refuses (`restore-first`) what would start the app, or change what is under it, while it waits for a restore. */
export async function assertNotWaiting(tools: Tools): Promise<void> {
  const waits = await waitsForRestore(tools)
  if (waits)
    throw refusal("restore-first", `as an earlier run noted, ${restoreFirst(waits)}`, {
      hint: "Run restore with that backup-id, or pipeline with force: restore; then run this again.",
    })
}

/** `the app stays stopped until its data is restored (backup-... has it)`. */
export function restoreFirst({ backup }: StoppedAppNote): string {
  return `the app stays stopped until its data is restored${backup === undefined ? "" : ` (${backup} has it)`}`
}

/**
 * Starts every stopped container of the app and waits until the app is healthy: also those that an earlier, cut off
 * run had stopped; not what runs to its end (a migration, a seed). Does nothing where the app was never deployed, and where
 * it has to stay stopped for a restore.
 */
export async function startWriters(tools: Tools): Promise<void> {
  const note = await readStoppedApp(tools)
  const waits = await stillWaits(tools, note)
  if (waits) {
    tools.log.warning(`As an earlier run noted, ${restoreFirst(waits)}`)
    return
  }
  const { services, containers: all } = await appContainers(tools)
  const lasting = services.filter((one) => !one.oneShot)
  const containers = all.filter((one) => lasting.some(({ name }) => name === one.service))
  const stopped = containers.filter((one) => one.state === "exited")
  const commands = [
    ...restartAsDefined(tools.stack, services, all),
    ...(stopped.length > 0 ? [tools.stack.start(stopped)] : []),
    ...(note && note.undone === undefined ? [forgetStoppedApp(tools.layout)] : []),
  ]
  if (commands.length > 0) await tools.work.step("start-writers", lines(sh`set -e`, ...commands))
  const deployed = lasting.filter((one) => containers.some((container) => container.service === one.name))
  if (deployed.length > 0) await tools.work.check("wait-writers", () => waitHealthy(tools, deployed), undefined)
  // Until the app serves, who asks for the undo again means this one.
  if (note?.undone !== undefined) await tools.work.step("forget-undone", forgetStoppedApp(tools.layout))
}

/** The same once the data is what the app belongs to: a run that is cut off from here on leaves only the start to the next. */
export async function startOnRightData(tools: Tools, { undone }: Pick<StoppedAppNote, "undone"> = {}): Promise<void> {
  const note: StoppedAppNote = { awaits: "services", ...(undone !== undefined && { undone }), fingerprints: [] }
  await tools.work.step("note-right-data", noteStoppedApp(tools.layout, note))
  await startWriters(tools)
}

/** Whether any of the app runs. */
export async function appRuns(tools: Tools): Promise<boolean> {
  return (await appContainers(tools)).containers.some(isRunning)
}

/** Somebody else has started the app: what an earlier run noted is over. */
export async function forgetStop(tools: Tools): Promise<void> {
  await tools.work.step("forget-stop", forgetStoppedApp(tools.layout))
}

/** The app's containers, in dependency order, as they are started. */
export async function appContainers({ stack }: Tools) {
  const [services, all] = await Promise.all([stack.servicesOf("app"), stack.containers()])
  return { services, containers: services.flatMap(({ name }) => all.filter((one) => one.service === name)) }
}
