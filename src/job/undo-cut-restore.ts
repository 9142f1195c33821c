import type { Manifest } from "../core/manifest.ts"
import type { CutRestore } from "../service/cut-work.ts"
import { createStopped, ensureRunning } from "./ensure-running.ts"
import { assertHeld, noteHeld } from "./held-data.ts"
import { noteGoesBack, type RestoreNote, readRestoring } from "./restore-note.ts"
import { dataServices, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { restoreFirst, startOnRightData } from "./writers.ts"

/** As `undoData`; then the app starts on the data of before, where there is a way back to it. */
export async function undoAll(tools: Tools, manifest: Manifest | undefined): Promise<void> {
  if (await undoData(tools, manifest)) await startOnRightData(tools)
}

/**
 * Goes back from a restore that cannot be finished, or that had swapped nothing in: every service serves what it did
 * before, the last one first, and only the app has still to start. False, said so, where there is no way back.
 */
export async function undoData(tools: Tools, manifest: Manifest | undefined): Promise<boolean> {
  const before = await readRestoring(tools)
  if (before?.restoring.forward) {
    tools.log.warning(`There is no way back to what was there before: ${restoreFirst(before)}`)
    return false
  }
  const note = await noteGoesBack(tools)
  if (!note) return false
  const services = await cutServices(tools, note)
  const cuts = services.map((one) => ({ one, cut: cutOf(one, { note, manifest }) }))
  const held = await noteHeld(tools, note, cuts)
  for (const one of services.toReversed()) await undoCut(tools, one, { note, manifest })
  await serveAgain(tools, services)
  await assertHeld(tools, held)
  tools.log.warning("The restore is undone: the data is as it was before, and the app starts on it")
  return true
}

/** A note of an interrupted restore, and the backup that it names. */
export interface Cut {
  readonly note: RestoreNote
  /** Undefined when it was a dump that somebody else made. */
  readonly manifest: Manifest | undefined
}

/** Takes away what an interrupted restore left of one service. */
export async function undoCut(tools: Tools, one: StackService, cut: Cut): Promise<void> {
  if (one.container) await one.driver.cutRestores?.undo(one.service, one.container, cutOf(one, cut), tools.work)
}

/** The part of an interrupted restore that is about one service. */
export function cutOf({ service }: StackService, { note, manifest }: Cut): CutRestore {
  const backup = manifest?.services.find((held) => held.service === service.name)
  const { ids, inPlace } = note.restoring
  return { ids, backup, dropped: service.name in (inPlace?.dropped ?? {}) }
}

/** The services of an interrupted restore, databases first and running: only a server can tell how far it came. Those without a container have no data. */
export async function cutServices(tools: Tools, { restoring }: RestoreNote): Promise<readonly StackService[]> {
  await createStopped(tools, await dataServices(tools, restoring.services))
  const services = await dataServices(tools, restoring.services)
  const isDatabase = (one: StackService) => one.service.kind === "postgres"
  const databases = services.filter((one) => isDatabase(one) && one.container)
  const running = databases.length > 0 ? await ensureRunning(tools, databases) : []
  return [...running, ...services.filter((one) => !isDatabase(one))]
}

/** A store of keys may have been stopped, or still be stopping by the hand of a step that was cut. */
async function serveAgain(tools: Tools, services: readonly StackService[]): Promise<void> {
  const names = services.flatMap((one) => (one.container ? [one.service.name] : []))
  if (names.length > 0) await ensureRunning(tools, await dataServices(tools, names))
}
