import { failure, messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import { noteReplacedInPlace } from "./in-place-note.ts"
import { isOurs } from "./is-ours.ts"
import { noteGoesOn, noteRestored, type RestoreNote, readRestored, readRestoring } from "./restore-note.ts"
import { databasesFirst, restoreService } from "./restore-service.ts"
import { dataServices, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { type Cut, cutOf, cutServices, undoAll, undoCut } from "./undo-cut-restore.ts"
import { appRuns, forgetStop, startOnRightData } from "./writers.ts"

/**
 * Finishes or undoes a restore that was cut off: never a mix. As long as nothing was swapped in, it is undone, and the app
 * starts on the data of before; once a service has the restored data, the others get theirs. What cannot be finished goes
 * back as a whole. Where the data of before does not serve, or was dropped, it can only be finished: throws why it was not.
 */
export async function settleRestore(tools: Tools, note: RestoreNote): Promise<void> {
  const what = note.backup ?? "a dump"
  if (tools.work.dryRun) {
    tools.log.warning(`A restore of ${what} was cut off: this run would first finish or undo it`)
    return
  }
  tools.log.warning(`A restore of ${what} was cut off`)
  const manifest = note.backup === undefined ? undefined : await readRestored(tools, note.backup)
  const services = await cutServices(tools, note)
  const come = await restoredOnes(services, { note, manifest })
  const undoable = come.length === 0 && !note.restoring.forward
  // A store of keys does not tell whether it has loaded the restored data: to undo that would take from the app what it wrote.
  const harmless = undoable && services.every(({ service }) => service.kind === "postgres")
  if (!harmless && (await appRuns(tools))) {
    await tellLeft(tools, services, { note, manifest })
    refuseDropped(note, come)
    tools.log.warning(
      `Somebody has started the app since, so nothing is changed: if ${note.restoring.services.join(" and ")} do not belong together, restore again.`,
    )
    return forgetStop(tools)
  }
  await noteGoesOn(tools)
  await noteReplacedInPlace(tools)
  if (undoable) return undoAll(tools, manifest)
  if (manifest && !(await finishRestore(tools, { come, note, manifest }))) return
  tools.log.warning(`The restore of ${what} is finished: the app starts on its data`)
  await startOnRightData(tools)
}

/** Those whose restored data is in its place, compared. */
async function restoredOnes(services: readonly StackService[], cut: Cut): Promise<readonly string[]> {
  const come: string[] = []
  for (const one of services) {
    const { name } = one.service
    const isIn = async () =>
      one.container && (await one.driver.cutRestores?.isIn?.(one.service, one.container, cutOf(one, cut)))
    if (cut.note.restoring.done.includes(name) || (await isIn())) come.push(name)
  }
  return come
}

/**
 * Where what the restore moved or brought lies, since nothing is changed. Throws `restore-half-moved` where that is a part of
 * the data of before: it is in no backup that anybody knows of, and no undo of a restore would find it.
 */
async function tellLeft(tools: Tools, services: readonly StackService[], cut: Cut): Promise<void> {
  const parts: string[] = []
  for (const one of services) {
    const { name } = one.service
    const left = one.container && (await one.driver.cutRestores?.left?.(one.service, one.container, cutOf(one, cut)))
    for (const { place, what } of left ?? []) {
      if (what === "part") parts.push(`${place} holds data of ${name}`)
      else if (what === "kept") tools.log.warning(`What ${name} held before the restore lies in ${place}`)
      else
        tools.log.warning(`Files that the restore was bringing to ${name} lie in ${place}: nothing needs them any more`)
    }
  }
  if (parts.length === 0) return
  throw failure(
    "restore-half-moved",
    `somebody has started the app since, and ${parts.join(", ")} that the restore was moving aside: to have it back, stop the app and that server, move it into the directory above, remove the folder, and start the server (what was written since gives way); or restore a backup`,
  )
}

/** Throws `restore-half-moved` where live data was dropped and what was to replace it has not come: that is nobody's decision. */
function refuseDropped({ backup, restoring }: RestoreNote, come: readonly string[]): void {
  const dropped = Object.entries(restoring.inPlace?.dropped ?? {}).filter(([service]) => !come.includes(service))
  if (dropped.length === 0) return
  const held = dropped.map(
    ([service, id]) => `${service} (${id === null ? "in no backup of this restore" : `${id} holds it`})`,
  )
  throw failure(
    "restore-half-moved",
    `the restore had dropped the live data of ${held.join(", ")}, and somebody has started the app since on what is there: restore ${backup ?? "a backup"} again, or the one that holds what was dropped`,
  )
}

interface Unfinished extends Cut {
  readonly manifest: Manifest
  readonly come: readonly string[]
}

/** Restores the services that the interrupted one had not come to; when one of them cannot be, all go back, and this is false. */
async function finishRestore(tools: Tools, { come, note, manifest }: Unfinished): Promise<boolean> {
  const rest = manifest.services.filter(({ service }) => note.restoring.services.includes(service))
  try {
    for (const held of databasesFirst(rest)) {
      if (come.includes(held.service)) continue
      tools.log.info(`Restoring ${held.service}, which the restore had not come to`)
      const [one] = await dataServices(tools, [held.service])
      if (one) await undoCut(tools, one, { note, manifest })
      // What it replaces belongs to what the cut one had replaced: an undo takes both back.
      const work = { ...tools.work, id: note.restoring.ids.at(-1) ?? tools.work.id }
      await restoreService({ ...tools, work }, held, { id: manifest.id, inPlace: note.restoring.inPlace })
      await noteRestored(tools, held.service)
    }
    return true
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    tools.log.warning(`The restore could not be finished: ${messageOf(error)}`)
    await undoAll(tools, manifest)
    if ((await readRestoring(tools))?.restoring.forward) throw error
    return false
  }
}
