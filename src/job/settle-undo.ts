import { failure, messageOf } from "../core/errors.ts"
import { createStopped, ensureRunning } from "./ensure-running.ts"
import { isOurs } from "./is-ours.ts"
import { dataServices, type StackService } from "./stack-services.ts"
import { takeForth, takeOne } from "./take-back.ts"
import type { Tools } from "./tools.ts"
import { endUndo, noteUndone, type UndoEntry, type UndoNote, undoneBefore } from "./undo-note.ts"
import { appRuns, forgetStop } from "./writers.ts"

/**
 * Finishes or takes back an undo that was cut off: never a mix. As long as no service serves what it did before the
 * restore, all stay as the restore left them; once one does, the others follow, and when one of them cannot, that one goes
 * forth again. Then the app starts. Gives one sentence when the undo is finished.
 */
export async function settleUndo(tools: Tools, { undoing }: UndoNote): Promise<string | undefined> {
  const what = undoing.services.map((one) => one.service).join(" and ")
  if (tools.work.dryRun) {
    tools.log.warning(`An undo of a restore of ${what} was cut off: this run would first finish it or take it back`)
    return undefined
  }
  tools.log.warning(`An undo of a restore of ${what} was cut off`)
  await createStopped(tools, await servicesOf(tools, undoing.services))
  const open = await lookAt(
    tools,
    undoing.services.filter(({ service }) => !undoing.done.includes(service)),
  )
  const begun = undoing.forward || undoing.done.length > 0 || open.some(({ state }) => state === "taken")
  const touched = begun || open.some(({ state }) => state === "half")
  if (touched && (await appRuns(tools))) {
    tools.log.warning(
      `Somebody has started the app since, so nothing is changed: if ${what} do not belong together, undo or restore again.`,
    )
    await forgetStop(tools)
    return undefined
  }
  for (const { one, entry, state } of open)
    if (state === "half" && one.container)
      await one.driver.cutUndos?.back?.(one.service, one.container, entry, tools.work)
  await serveAgain(tools, undoing.services)
  if (!begun) {
    tools.log.warning(`The undo of ${what} had not come far and is taken back: the data is as the restore left it`)
    await endUndo(tools, { undone: false })
    return undefined
  }
  if (!(await finish(tools, { undoing, open }))) return undefined
  const restored = undoing.forward
  tools.log.warning(
    `The undo of ${what} is ${restored ? "taken back: the app starts on the data of the restore" : "finished: the app starts on the data of before the restore"}`,
  )
  await endUndo(tools, { undone: !restored })
  return restored ? undefined : undoneBefore(undoing.services)
}

interface Looked {
  readonly one: StackService
  readonly entry: UndoEntry
  readonly state: "untouched" | "half" | "taken"
}

/** Databases are asked, so they have to run; a store of keys tells by its files. */
async function lookAt(tools: Tools, entries: readonly UndoEntry[]): Promise<readonly Looked[]> {
  const looked: Looked[] = []
  for (const entry of entries) {
    let [one] = await dataServices(tools, [entry.service])
    if (one?.service.kind === "postgres") [one] = await ensureRunning(tools, [one])
    if (!one?.container || !one.driver.cutUndos)
      throw failure("undo-unknown", `how far the undo of ${entry.service} came cannot be told: it has no container`)
    looked.push({ one, entry, state: await one.driver.cutUndos.look(one.service, one.container, entry) })
  }
  return looked
}

async function serveAgain(tools: Tools, entries: readonly UndoEntry[]): Promise<void> {
  await ensureRunning(tools, await servicesOf(tools, entries))
}

function servicesOf(tools: Tools, entries: readonly UndoEntry[]): Promise<readonly StackService[]> {
  return dataServices(
    tools,
    entries.map(({ service }) => service),
  )
}

/** False when what could not be finished has gone forth again as a whole, and the app was started on that. */
async function finish(
  tools: Tools,
  { undoing, open }: Pick<UndoNote, "undoing"> & { readonly open: readonly Looked[] },
): Promise<boolean> {
  try {
    for (const { entry, state } of open) {
      if (state !== "taken") await takeOne(tools, entry)
      await noteUndone(tools, entry.service)
    }
    return true
  } catch (error) {
    if (!isOurs(tools, error) || undoing.forward) throw error
    tools.log.warning(`The undo could not be finished: ${messageOf(error)}`)
    await takeForth(tools, error)
    await endUndo(tools, { undone: false })
    return false
  }
}
