import { compareFingerprints, type Fingerprint } from "../core/fingerprint.ts"
import type { CutRestore } from "../service/driver.ts"
import type { RestoreNote } from "./restore-note.ts"
import { containerOf, dataServices, type StackService } from "./stack-services.ts"
import { assertSame, fingerprints } from "./start-compared.ts"
import { noteStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { appRuns } from "./writers.ts"

/**
 * What these services held before a restore that is about to be undone. Written down, for what says so on the host goes
 * with the undo: who comes after one that was cut off, or did not bring all of it back, has the same to compare with.
 */
export async function noteHeld(
  tools: Tools,
  note: RestoreNote,
  services: readonly { readonly one: StackService; readonly cut: CutRestore }[],
): Promise<readonly Fingerprint[]> {
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

/** Throws `data-differs` when they serve less than that; an app that somebody has started may have deleted some of it. */
export async function assertHeld(tools: Tools, held: readonly Fingerprint[]): Promise<void> {
  if (held.length === 0 || (await appRuns(tools))) return
  const services = await dataServices(
    tools,
    held.map(({ service }) => service),
  )
  const look = () => fingerprints(services)
  assertSame(compareFingerprints(held, await tools.work.check("compare-undone", look, held)))
}
