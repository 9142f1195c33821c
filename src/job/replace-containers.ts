import { AppError, messageOf } from "../core/errors.ts"
import { compareFingerprints, type Fingerprint, type FingerprintDifference } from "../core/fingerprint.ts"
import { HostError } from "../host/host.ts"
import { change } from "../shell/command.ts"
import { assertSoleServer, ensureRunning, refresh } from "./ensure-running.ts"
import type { PutBack } from "./install-definition.ts"
import { recordInfrastructure } from "./record-infrastructure.ts"
import { containerOf, definitions, holdsData, names, type StackService } from "./stack-services.ts"
import { noteStoppedApp, readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"
import { startWriters, stopWriters } from "./writers.ts"

export interface RecreateResult {
  /** `rolled-back`: the new containers did not become healthy and the previous images serve again. */
  readonly status: "recreated" | "created" | "rolled-back"
  /** What made the rollback necessary. */
  readonly cause: string | undefined
  /** Empty: the data is the same before and after. */
  readonly differences: readonly FingerprintDifference[]
}

export interface ReplaceOptions {
  readonly putBack: PutBack
  /** The backup of this run. */
  readonly backup: string
}

/**
 * Replaces containers whose data was proven to be in a backup: the app stops, the data services are stopped cleanly, new
 * containers start on the same volumes, and the data's fingerprint before and after is compared. Whatever fails before
 * the replacement starts the old containers again; new ones that do not serve give way to the previous images.
 */
export async function replaceContainers(
  tools: Tools,
  services: readonly StackService[],
  options: ReplaceOptions,
): Promise<RecreateResult> {
  const data = services.filter(holdsData)
  const before = await stopAll(tools, services, options)
  const cause = await bringUp(tools, services, { ...options, before })
  const after = await tools.work.check("fingerprint", async () => fingerprints(await refresh(tools, data)), before)
  const differences = compareFingerprints(before, after)
  if (differences.length === 0) await startWriters(tools)
  else {
    const note = noteStoppedApp(tools.layout, { awaits: "restore", backup: options.backup, fingerprints: [] })
    await tools.work.step("note-restore", note)
  }
  if (cause === undefined) await recordInfrastructure(tools, services, differences.length === 0 ? "good" : "bad")
  return { status: cause === undefined ? "recreated" : "rolled-back", cause, differences }
}

/** Stops the app, then the services, cleanly; the fingerprint of the data that they leave. */
async function stopAll(
  tools: Tools,
  services: readonly StackService[],
  { putBack, backup }: ReplaceOptions,
): Promise<readonly Fingerprint[]> {
  const data = services.filter(holdsData)
  try {
    const running = await ensureRunning(tools, data)
    await stopWriters(tools, { awaits: "services", backup })
    const before: Fingerprint[] = []
    for (const one of running) {
      const left = await one.driver.stop?.(one.service, containerOf(one), tools.work)
      if (left) before.push(left)
    }
    const others = services.filter((one) => !holdsData(one)).flatMap((one) => one.container ?? [])
    if (others.length > 0) await tools.work.step("stop-services", tools.stack.stop(others))
    for (const one of data) await assertSoleServer(tools, one)
    return before
  } catch (error) {
    await startAgain(tools, { services, putBack, error })
    throw error
  }
}

interface Failed {
  readonly services: readonly StackService[]
  readonly putBack: PutBack
  readonly error: unknown
}

/** Back to the old containers, which are all still there. A run that was cut off leaves that to the next one. */
async function startAgain(tools: Tools, { services, putBack, error }: Failed): Promise<void> {
  if (!isOurs(tools, error)) return
  try {
    await putBack()
    const containers = services.flatMap((one) => one.container ?? [])
    await tools.work.step("start-again", tools.stack.start(containers))
    await tools.work.check("wait-again", () => waitHealthy(tools, definitions(services)), undefined)
    await startWriters(tools)
  } catch (second) {
    tools.log.warning(`${messageOf(error)}; then the old containers did not start again: ${messageOf(second)}`)
  }
}

/** The reason why the new containers had to give way to the previous images; undefined when they serve. */
async function bringUp(
  tools: Tools,
  services: readonly StackService[],
  { before, backup, putBack }: ReplaceOptions & { readonly before: readonly Fingerprint[] },
): Promise<string | undefined> {
  const { stack, work } = tools
  try {
    const { awaits = "services", backup: needed = backup } = (await readStoppedApp(tools)) ?? {}
    const note = noteStoppedApp(tools.layout, { awaits, backup: needed, fingerprints: [...before] })
    const up = stack.up(names(services), { forceRecreate: true, pull: "never" })
    await work.step("recreate-containers", change`${note} || exit\n${up}`)
    await work.check("wait-healthy", () => waitHealthy(tools, definitions(services)), undefined)
    return undefined
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    const images = Object.fromEntries(
      services.flatMap(({ service, container }) => (container ? [[service.name, container.imageId]] : [])),
    )
    tools.log.warning(`The new containers do not serve: ${messageOf(error)}. Putting the previous images back.`)
    await putBack()
    await work.step("put-images-back", stack.up(names(services), { forceRecreate: true, pull: "never", images }))
    await work.check("wait-previous", () => waitHealthy(tools, definitions(services)), undefined)
    return messageOf(error)
  }
}

/** Whether this run may still act: it is not cancelled, has its lock, and knows what became of its last step. */
function isOurs(tools: Tools, error: unknown): boolean {
  if (tools.signal.aborted || error instanceof HostError) return false
  return error instanceof AppError && error.code !== "lease-lost" && error.code !== "step-cut"
}

/** Of those services that have one; throws when one of them does not answer. */
export async function fingerprints(services: readonly StackService[]): Promise<readonly Fingerprint[]> {
  return Promise.all(services.flatMap((one) => one.driver.fingerprint?.(one.service, containerOf(one)) ?? []))
}
