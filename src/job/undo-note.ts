import { noteStoppedApp, readStoppedApp, type StoppedAppNote, type Undoing } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { startOnRightData, startWriters } from "./writers.ts"

/** A note of an undo under way. */
export type UndoNote = Omit<StoppedAppNote, "undoing"> & { readonly undoing: Undoing }

/** One service of an undo. */
export type UndoEntry = Undoing["services"][number]

/** What an undo under way has noted; undefined where there is none. */
export async function readUndoing(tools: Tools): Promise<UndoNote | undefined> {
  const note = await readStoppedApp(tools)
  return note?.undoing && { ...note, undoing: note.undoing }
}

/** What this service's restore had replaced is proven to serve. */
export async function noteUndone(tools: Tools, service: string): Promise<void> {
  const note = await readUndoing(tools)
  if (!note) return
  const undoing = { ...note.undoing, done: [...note.undoing.done, service] }
  await tools.work.step(`note-undone-${service}`, noteStoppedApp(tools.layout, { ...note, undoing }))
}

/** From here on these are to be taken forth again, whoever does it. */
export async function noteForth(tools: Tools, services: readonly UndoEntry[]): Promise<void> {
  const note = await readUndoing(tools)
  if (!note) return
  const undoing = { services: [...services], done: [], waited: note.undoing.waited, forward: true }
  await tools.work.step("note-forth", noteStoppedApp(tools.layout, { ...note, undoing }))
}

/**
 * The data of all services belongs together, as before the restore (`undone`) or as it left it: the app starts on it. Where
 * the host waited for a restore before, it still does, unless several services were taken back together.
 */
export async function endUndo(tools: Tools, { undone }: { readonly undone: boolean }): Promise<void> {
  const note = await readUndoing(tools)
  const services = note?.undoing.services ?? []
  if (!note?.undoing.waited || (undone && services.length > 1))
    return startOnRightData(tools, undone ? { undone: undoneBefore(services) } : {})
  const { undoing: _over, ...waits } = note
  await tools.work.step("note-waits", noteStoppedApp(tools.layout, waits))
  await startWriters(tools)
}

/** `dragonfly and postgres as before the restore: ...`, for the run that finds this done by an earlier one. */
export function undoneBefore(services: readonly UndoEntry[]): string {
  return `${services.map((one) => one.service).join(" and ")} as before the restore: the undo of an earlier run is finished.`
}
