import { compareFingerprints, type Fingerprint } from "../core/fingerprint.ts"
import type { CutRestore } from "../service/cut-work.ts"
import type { RestoreNote } from "./restore-note.ts"
import { containerOf, dataServices, names, type StackService } from "./stack-services.ts"
import { assertSame, fingerprints } from "./start-compared.ts"
import { noteStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { appRuns, writersBeside } from "./writers.ts"

/**
 * What these services held before a restore that is about to be undone. Written down, for what says so on the host goes
 * with the undo: who comes after one that was cut off, or did not bring all of it back, has the same to compare with. Nothing
 * where something of the infrastructure may write to them meanwhile.
 */
export async function noteHeld(
  tools: Tools,
  note: RestoreNote,
  services: readonly { readonly one: StackService; readonly cut: CutRestore }[],
): Promise<readonly Fingerprint[]> {
  const still = await standsStill(
    tools,
    services.map(({ one }) => one),
  )
  if (!still) {
    const over = noteStoppedApp(tools.layout, { ...note, fingerprints: [] })
    if (note.fingerprints.length > 0) await tools.work.step("note-held", over)
    return []
  }
  const held = new Map(note.fingerprints.map((one) => [one.service, one]))
  const known = held.size
  for (const { one, cut } of services) {
    if (!one.container || held.has(one.service.name)) continue
    const found = await one.driver.cutRestores?.held?.(one.service, containerOf(one), cut)
    if (found) held.set(found.service, found)
  }
  const fingerprints = [...held.values()]
  if (held.size > known) await tools.work.step("note-held", noteStoppedApp(tools.layout, { ...note, fingerprints }))
  return fingerprints
}

/** Throws `data-differs` when they serve less than that; an app that somebody has started, or what else writes, may have deleted some of it. */
export async function assertHeld(tools: Tools, held: readonly Fingerprint[]): Promise<void> {
  if (held.length === 0 || (await appRuns(tools))) return
  const services = await dataServices(
    tools,
    held.map(({ service }) => service),
  )
  if (!(await standsStill(tools, services))) return
  const look = () => fingerprints(services)
  assertSame(compareFingerprints(held, await tools.work.check("compare-undone", look, held)))
}

/** What writes beside the app takes a job, and a key with it, as soon as it can: that is no loss. */
async function standsStill(tools: Tools, services: readonly StackService[]): Promise<boolean> {
  const beside = await writersBeside(tools, services)
  if (beside.length === 0) return true
  tools.log.warning(`${names(beside).join(", ")} may write meanwhile: the keys are not compared with what they were`)
  return false
}
