import { AppError, failure, messageOf } from "../core/errors.ts"
import { isOurs } from "./is-ours.ts"
import { containerOf, dataServices } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { noteForth, noteUndone, readUndoing, type UndoEntry } from "./undo-note.ts"

/** What the restore of one service replaced serves again; one sentence about it. */
export async function takeOne(tools: Tools, { service, run, id }: UndoEntry): Promise<string> {
  const [one] = await dataServices(tools, [service])
  if (!one?.driver.undo) throw failure("cannot-undo", `a restore of ${service} cannot be taken back`)
  return one.driver.undo(one.service, containerOf(one), { ...tools.work, id }, run)
}

/**
 * Takes every service of a noted undo back. All of them or none: when one fails, those before it are taken forth again.
 * Throws then with the data as it was before, but `undo-halfway` where that failed, and what nobody knows the end of.
 */
export async function takeBack(tools: Tools, services: readonly UndoEntry[]): Promise<readonly string[]> {
  const done: string[] = []
  try {
    for (const entry of services) {
      done.push(await takeOne(tools, entry))
      await noteUndone(tools, entry.service)
    }
    return done
  } catch (error) {
    if (isSettled(tools, error)) await takeForth(tools, error)
    throw error
  }
}

/** Whether a service whose undo failed is as it was before. Else the note of it stays for the next run. */
export function isSettled(tools: Tools, error: unknown): boolean {
  return (
    isOurs(tools, error) && !(error instanceof AppError && ["restore-undo-failed", "undo-halfway"].includes(error.code))
  )
}

/** An undo is undone by another one. Throws when that fails: then the app must not start on data of two times. */
export async function takeForth(tools: Tools, reason: unknown): Promise<void> {
  const note = await readUndoing(tools)
  if (!note || note.undoing.done.length === 0) return
  const taken = note.undoing.services.filter(({ service }) => note.undoing.done.includes(service))
  try {
    const forth = await Promise.all(taken.toReversed().map((entry) => forthOf(tools, entry)))
    await noteForth(tools, forth)
    for (const entry of forth) {
      await takeOne(tools, entry)
      await noteUndone(tools, entry.service)
    }
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    const known = taken.map(({ service }) => service).join(", ")
    throw failure(
      "undo-halfway",
      `${messageOf(reason)}; ${known} is as before the restore and could not be taken forth again: ${messageOf(error)}`,
      { hint: "The app stays stopped. Run undo again, or restore a backup.", cause: reason },
    )
  }
}

/** What goes aside again gets the id that it had, by which it belongs to what the other services have kept. */
async function forthOf(tools: Tools, { service, run, id }: UndoEntry): Promise<UndoEntry> {
  const [one] = await dataServices(tools, [service])
  const all = one ? ((await one.driver.replaced?.(one.service, containerOf(one))) ?? []) : []
  const aside = all.findLast((kept) => kept.run === id && !kept.failed)
  if (!aside) throw failure("undo-unknown", `what the undo of ${service} put aside is not there`)
  return { service, name: aside.name, run: id, id: run ?? `${id}-forth` }
}
