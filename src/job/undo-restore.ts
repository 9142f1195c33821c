import { failure, messageOf, refusal } from "../core/errors.ts"
import { assertSoleServer, atLeastOne, ensureRunning, refresh } from "./ensure-running.ts"
import { readReplacedInPlace } from "./in-place-note.ts"
import { containerOf, dataServices, names, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { startOnRightData, startWriters, stopWriters, waitsForRestore } from "./writers.ts"

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
  const waited = (await waitsForRestore(tools)) !== undefined
  // Between two services the app belongs to neither: who is cut off there leaves it stopped until undo has run again.
  const halves = chosen.length > 1
  await stopWriters(tools, { awaits: halves ? "restore" : "services" })
  const done = await takeBack(tools, keysFirst(chosen), () => start(tools, halves && !waited))
  await start(tools, halves)
  if (left.length > 0) tools.log.warning(`${left.join(", ")}: left as they are, the last restore did not replace them`)
  return { done, left }
}

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
}

async function lastReplaced(services: readonly StackService[]): Promise<readonly Kept[]> {
  const kept = await Promise.all(
    services.map(async (one): Promise<readonly Kept[]> => {
      const all = (await one.driver.replaced?.(one.service, containerOf(one))) ?? []
      const [newest] = all.toSorted((a, b) => (b.at ?? "").localeCompare(a.at ?? ""))
      return newest ? [{ one, at: newest.at ?? "", run: newest.run }] : []
    }),
  )
  return kept.flat()
}

/** Restarts before the transaction: what is most likely to fail comes first, and has nothing before it to be taken forth. */
function keysFirst(services: readonly Kept[]): readonly Kept[] {
  const rank = ({ one }: Kept) => Number(one.service.kind === "postgres")
  return services.toSorted((a, b) => rank(a) - rank(b))
}

function start(tools: Tools, isRight: boolean): Promise<void> {
  return isRight ? startOnRightData(tools) : startWriters(tools)
}

async function takeBack(
  tools: Tools,
  services: readonly Kept[],
  startAgain: () => Promise<void>,
): Promise<readonly string[]> {
  const taken: Kept[] = []
  const done: string[] = []
  try {
    for (const kept of services) {
      const { one } = kept
      const sentence = await one.driver.undo?.(one.service, containerOf(one), tools.work)
      taken.push(kept)
      if (sentence !== undefined) done.push(sentence)
    }
    return done
  } catch (error) {
    if (tools.signal.aborted) throw error
    await takeForth(tools, taken, error)
    await startAgain()
    throw error
  }
}

/** An undo is undone by another one. Throws when that fails: then the app must not start on data of two times. */
async function takeForth(tools: Tools, taken: readonly Kept[], reason: unknown): Promise<void> {
  try {
    for (const { one, run } of taken.toReversed()) {
      const [now] = await refresh(tools, [one])
      // What goes aside again gets the id that it had, by which it belongs to what the other services have kept.
      const work = { ...tools.work, id: run ?? `${tools.work.id}-forth` }
      await one.driver.undo?.(one.service, containerOf(now ?? one), work)
    }
  } catch (error) {
    const known = names(taken.map(({ one }) => one)).join(", ")
    throw failure(
      "undo-halfway",
      `${messageOf(reason)}; ${known} is as before the restore and could not be taken forth again: ${messageOf(error)}`,
      { hint: "The app stays stopped. Run undo again, or restore a backup.", cause: reason },
    )
  }
}
