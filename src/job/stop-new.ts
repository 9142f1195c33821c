import { failure, messageOf } from "../core/errors.ts"
import type { Fingerprint } from "../core/fingerprint.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import { killNow } from "../docker/kill-now.ts"
import { isRunning } from "../docker/stack.ts"
import { refresh } from "./ensure-running.ts"
import { isOurs } from "./is-ours.ts"
import { isKeyStore } from "./lost-data.ts"
import { containerOf, holdsData, type StackService } from "./stack-services.ts"
import { noteStoppedApp, readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"

/** What the new containers were stopped with. */
export interface Stopped {
  /** The data's fingerprints at the clean stop of the old containers. */
  readonly before: readonly Fingerprint[]
  /** The new data services held the same, and the rest was started on it: it may have written since. */
  readonly proven: boolean
  /** All that stores of keys held then, by service: goes before the backup where there is one. */
  readonly dumps?: ReadonlyMap<string, ServiceBackup> | undefined
}

/**
 * What the data must be on the way back: what it was at the clean stop, as long as nobody may have written since. Where the
 * new data services have served others, these are stopped, then the data services cleanly: what they hold now.
 */
export async function stoppedWith(
  tools: Tools,
  services: readonly StackService[],
  { before, proven, except = [] }: Stopped & { readonly except?: readonly string[] },
): Promise<readonly Fingerprint[]> {
  if (!proven) return before
  const found = new Map(before.map((one) => [one.service, one]))
  await stopRest(tools, services)
  const data = services.filter((one) => holdsData(one) && !except.includes(one.service.name))
  for (const one of await refresh(tools, data)) {
    try {
      const left = await one.driver.stop?.(one.service, containerOf(one), tools.work)
      if (left) found.set(one.service.name, left)
    } catch (error) {
      if (!isOurs(tools, error)) throw error
      await assertEnded(tools, one, error)
      tools.log.warning(`A new data service could not be stopped cleanly: ${messageOf(error)}`)
    }
  }
  const note = await readStoppedApp(tools)
  const fingerprints = [...found.values()].filter(({ service }) => !except.includes(service))
  if (note?.awaits === "services")
    await tools.work.step("note-stopped", noteStoppedApp(tools.layout, { ...note, fingerprints }))
  return [...found.values()]
}

/** Whatever way back there is ends a store of keys, and with it what others have written since, if it cannot be saved. */
async function assertEnded(tools: Tools, one: StackService, error: unknown): Promise<void> {
  const [now] = await refresh(tools, [one])
  const { name } = one.service
  if (!isKeyStore(one) || !["running", "paused"].includes(now?.container?.state ?? "none")) return
  throw failure(
    "not-saved",
    `${name} cannot save what was written since it serves, and is left as it is: ${messageOf(error)}`,
    {
      hint: `Do not end ${name}: what it has not saved is in its memory alone. Mend what keeps it from that and run this again.`,
      cause: error,
    },
  )
}

/** Whoever else may write to the stores, before their data is looked at. */
export async function stopRest(tools: Tools, services: readonly StackService[]): Promise<void> {
  await stopContainers(
    tools,
    "stop-rest",
    services.filter((one) => !holdsData(one)),
  )
}

/** Stops those of them that run, gracefully. `step` is its name in the journal. */
export async function stopContainers(tools: Tools, step: string, services: readonly StackService[]): Promise<void> {
  if (services.length === 0) return
  const containers = (await refresh(tools, services)).flatMap((one) => one.copies)
  const running = containers.filter(isRunning)
  if (running.length > 0) await tools.work.step(step, tools.stack.stop(running))
}

/**
 * Kills these stores of keys, for a stop would have them save over the snapshot of the clean stop: data that is not what it
 * was, or a newer version's format, which the previous image cannot read. Nobody that we know of has written to one that is
 * not proven. A database writes its log as it goes, and is stopped in order.
 */
export async function killStores(
  tools: Tools,
  services: readonly StackService[],
  isToDie: (one: StackService) => Promise<boolean>,
): Promise<void> {
  for (const one of await refresh(tools, services.filter(isKeyStore))) {
    const { container } = one
    if (!container || !["running", "restarting"].includes(container.state) || !(await isToDie(one))) continue
    await tools.work.step(`kill-${one.service.name}`, killNow(container))
  }
}
