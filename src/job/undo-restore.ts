import { refusal } from "../core/errors.ts"
import type { ReplacedData } from "../service/driver.ts"
import { assertSoleServer, atLeastOne, ensureRunning } from "./ensure-running.ts"
import { readReplacedInPlace } from "./in-place-note.ts"
import { containerOf, dataServices, names, type StackService } from "./stack-services.ts"
import { startAfterSuccess } from "./start-after.ts"
import { isSettled, takeBack } from "./take-back.ts"
import type { Tools } from "./tools.ts"
import { endUndo, type UndoEntry } from "./undo-note.ts"
import { startWriters, stopWriters, waitsForRestore } from "./writers.ts"

export interface UndoOptions {
  /** Data services to take back; those of the newest restore unless told. */
  readonly services?: readonly string[]
  /** Whether a restore of more than a day ago is meant as well. */
  readonly force?: boolean
}

export interface UndoResult {
  /** One sentence per service: what serves now and where the other data is. */
  readonly done: readonly string[]
  /** Data services that the last restore left alone; they keep what they have. */
  readonly left: readonly string[]
}

/**
 * Takes the last restore back: in every service that it replaced, or in those asked for, the replaced data serves
 * again, and what the restore had brought is kept aside. All of them or none: when one fails, those before it are
 * taken forth again. The app is stopped meanwhile and started again on data that belongs together. Refuses (`undo-old`) a
 * restore of more than a day ago: who means one that failed a minute ago, and changed nothing, would lose months.
 */
export async function undoRestore(tools: Tools, { services, force }: UndoOptions = {}): Promise<UndoResult> {
  if (tools.undone) return alreadyUndone(tools, tools.undone)
  const data = atLeastOne(await dataServices(tools, services), "data service")
  const able = data.filter((one) => one.driver.undo)
  for (const one of able) await assertSoleServer(tools, one)
  const running = await ensureRunning(tools, able)
  const kept = await lastReplaced(running)
  const [newest] = kept.toSorted((a, b) => b.at.localeCompare(a.at))
  // What an older restore replaced elsewhere does not belong to the newest one.
  const chosen = services ? kept : kept.filter(({ run }) => run === newest?.run)
  const left = names(data).filter((name) => !chosen.some(({ one }) => one.service.name === name))
  if (!force) await assertKept(tools, data, { newest, chosen })
  if (chosen.length === 0)
    throw refusal("nothing-to-undo", "no restore has left anything that it replaced", {
      hint: "Only what a restore kept can be brought back; restore a backup instead.",
    })
  if (!force) assertRecent(tools, chosen)
  const earlier = await waitsForRestore(tools)
  const entries = entriesOf(tools, chosen)
  const undoing = { services: [...entries], done: [], waited: earlier !== undefined, forward: false }
  const backup = earlier?.backup === undefined ? {} : { backup: earlier.backup }
  // Between two services, and half way in one, the app belongs to neither: who is cut off leaves the rest to the next run.
  await stopWriters(tools, { awaits: "restore", ...backup, undoing })
  const done = await takeBack(tools, entries).catch(async (error: unknown) => {
    if (isSettled(tools, error)) await endUndo(tools, { undone: false })
    throw error
  })
  await startAfterSuccess(tools, {
    ...{ done: "the restore is undone", kept: done, next },
    start: () => endUndo(tools, { undone: true }),
  })
  if (left.length > 0) tools.log.warning(`${left.join(", ")}: left as they are, the last restore did not replace them`)
  return { done, left }
}

/** To take back again what an earlier run has undone is not what was asked for: only its app may still have to start. */
async function alreadyUndone(tools: Tools, undone: string): Promise<UndoResult> {
  await startAfterSuccess(tools, {
    done: "the restore is undone",
    kept: [undone],
    next,
    start: () => startWriters(tools),
  })
  return { done: [undone], left: [] }
}

/** What goes aside gets an id that nothing has yet which a restore or an undo put aside. */
function entriesOf({ work }: Tools, chosen: readonly Kept[]): readonly UndoEntry[] {
  const taken = chosen.flatMap((one) => one.all)
  let id = work.id
  for (let number = 2; taken.some(({ name, run }) => run === id || name.endsWith(id)); number++)
    id = `${work.id}-${number}`
  return keysFirst(chosen).map(({ one, name, run }) => ({ service: one.service.name, name, ...(run && { run }), id }))
}

const next = "Until it serves, `undo` means this one: to have what the restore had brought, restore the backup again."

const day = 86_400_000

function assertRecent(tools: Tools, chosen: readonly Kept[]): void {
  const old = chosen.find(({ at }) => !(tools.clock.now().getTime() - Date.parse(at) <= day))
  if (!old) return
  const when = old.at === "" ? "at an unknown time" : `at ${old.at}`
  throw refusal("undo-old", `the last restore replaced the data of ${old.one.service.name} ${when}, over a day ago`, {
    hint: "What was written since then would be put aside. A restore that failed needs no undo: it left the data as it was. If this one is meant, give force: true.",
  })
}

/** What a restore has dropped cannot be taken back: what an older one kept is from before that, and other services' keys do not belong to it. */
async function assertKept(
  tools: Tools,
  data: readonly StackService[],
  { newest, chosen }: { readonly newest: Kept | undefined; readonly chosen: readonly Kept[] },
): Promise<void> {
  const dropped = await readReplacedInPlace(tools)
  const last =
    chosen
      .map(({ at }) => at)
      .toSorted()
      .at(-1) ?? ""
  for (const name of names(data)) {
    const one = dropped[name]
    if (!one || (one.run !== newest?.run && one.at < last)) continue
    throw refusal("undo-in-place", `the last restore replaced the data of ${name} in place: nothing of it was kept`, {
      hint: `${one.held === null ? "No backup is known to hold it" : `Restore ${one.held}, which holds it`}. To take back only what was kept, from before that restore, give force: true.`,
    })
  }
}

/** A service with the newest of what restores replaced in it. */
interface Kept {
  readonly one: StackService
  /** Empty when it does not say. */
  readonly at: string
  readonly run: string | undefined
  readonly name: string
  readonly all: readonly ReplacedData[]
}

async function lastReplaced(services: readonly StackService[]): Promise<readonly Kept[]> {
  const kept = await Promise.all(
    services.map(async (one): Promise<readonly Kept[]> => {
      const all = (await one.driver.replaced?.(one.service, containerOf(one))) ?? []
      const [newest] = all.filter(({ failed }) => !failed).toSorted((a, b) => (b.at ?? "").localeCompare(a.at ?? ""))
      return newest ? [{ one, at: newest.at ?? "", run: newest.run, name: newest.name, all }] : []
    }),
  )
  return kept.flat()
}

/** Restarts before the transaction: what is most likely to fail comes first, and has nothing before it to be taken forth. */
function keysFirst(services: readonly Kept[]): readonly Kept[] {
  const rank = ({ one }: Kept) => Number(one.service.kind === "postgres")
  return services.toSorted((a, b) => rank(a) - rank(b))
}
