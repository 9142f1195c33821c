import { type AppError, failure, messageOf } from "../core/errors.ts"
import type { Command } from "../shell/command.ts"
import { refresh } from "./ensure-running.ts"
import { backToPrevious, restoreBroken } from "./fall-back.ts"
import { putDefinitionBack, readInstalled } from "./install-definition.ts"
import { isKeyStore } from "./lost-data.ts"
import { describeRung } from "./recreate-result.ts"
import { definitions, names, type StackService } from "./stack-services.ts"
import type { NotStarted } from "./start-compared.ts"
import { type Stopped, stoppedWith, stopRest } from "./stop-new.ts"
import { noteStoppedApp, type StoppedAppNote } from "./stopped-app-note.ts"
import { findBackup } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/** A run that was cut off, and what there is of the stack. */
export interface Interrupted {
  readonly note: StoppedAppNote
  readonly services: readonly StackService[]
}

/** The same where what was there did not serve. */
export type Failed = Interrupted & { readonly failed: NotStarted }

/**
 * The first rung of the run that was cut off: what it had replaced, as it was. Why it does not hold, undefined when it does.
 * Nothing is put back to what may not read the data.
 */
export async function goBack(tools: Tools, { note, services, failed }: Failed): Promise<NotStarted | undefined> {
  const { previous = {} } = note
  const unreadable = await unreadableBefore(tools, { note, services, failed })
  if (unreadable !== undefined) return { ...failed, error: staysForward(failed, unreadable) }
  tools.log.warning(
    `The new containers of the interrupted run do not serve: ${messageOf(failed.error)}. Putting back what was there before.`,
  )
  const replaced = services.filter((one) => one.service.name in previous)
  const images = Object.fromEntries(Object.entries(previous).flatMap(([name, id]) => (id === null ? [] : [[name, id]])))
  const putBack = async () => putDefinitionBack(tools, await readInstalled(tools))
  const known = replaced.filter((one) => one.service.name in images)
  // Where nothing is to be compared any more, an earlier run has, and started on it what may have written since.
  const proven = failed.proven || note.fingerprints.length === 0
  // Also those beside what is replaced may have been started on the data, which is compared once more.
  if (failed.proven) await stopRest(tools, services)
  const before = await stoppedWith(tools, known, { before: note.fingerprints, proven })
  const back = { services: replaced, images, proven, putBack }
  let still = await backToPrevious(tools, { ...back, before })
  if (still && !still.proven && still.differences.length === 0) {
    const left = await restoreDumps(tools, { note, services: known, before })
    if (left) still = await backToPrevious(tools, { ...back, before: left })
  }
  if (still) return still
  tools.log.warning(`It is proven that ${describeRung("previous-images")}`)
  await startOthers(
    tools,
    services.filter((one) => !replaced.includes(one) && one.container),
  )
  return undefined
}

/**
 * The last rung of a run that died on its way back: what the previous image of a store of keys cannot read, for the new one had
 * saved it, gives way to what was dumped when it was stopped. Gives what the other data must be then; undefined where
 * nothing was restored.
 */
async function restoreDumps(
  tools: Tools,
  { note, services, before }: Interrupted & Pick<Stopped, "before">,
): Promise<Stopped["before"] | undefined> {
  const { backup, dumps: noted = {} } = note
  // With no fingerprint to be compared a death halfway would be taken for whole.
  const dumps = new Map(Object.entries(noted).filter(([name]) => before.some(({ service }) => service === name)))
  if (backup === undefined || dumps.size === 0) return undefined
  const { manifest } = await findBackup(tools, backup, "auto")
  const dumped = services.filter((one) => dumps.has(one.service.name))
  const restored = await restoreBroken(tools, { services: dumped, manifest }, { before, dumps })
  if (restored.length === 0) return undefined
  for (const { kept } of restored) tools.log.warning(kept)
  const left = before.filter(({ service }) => !restored.some(({ difference }) => difference.service === service))
  await tools.work.step("note-restored", noteStoppedApp(tools.layout, { ...note, fingerprints: [...left] }))
  return left
}

/**
 * A store of keys that has another image than before and may have been written to since it was proven: what it holds is only
 * in the new version's format, which the previous one may not read. The run that had a dump for this is dead.
 */
async function unreadableBefore(tools: Tools, { note, services, failed }: Failed): Promise<string | undefined> {
  const isProven = (name: string) => failed.proven || !note.fingerprints.some(({ service }) => service === name)
  const stores = await refresh(tools, services.filter(isKeyStore))
  return names(stores).find((name, at) => {
    const id = note.previous?.[name]
    return typeof id === "string" && stores[at]?.container?.imageId !== id && isProven(name)
  })
}

function staysForward({ error }: NotStarted, service: string): AppError {
  const stays = `${service} stays on its new image, for the previous one may not read what it has saved`
  return failure("no-way-back", `${messageOf(error)}; ${stays}`, {
    hint: "Nothing is lost. Mend what the message names and run this again, or run recreate with a definition that serves; this image or a newer one reads the data.",
    cause: error,
  })
}

/** What stood still beside the data although it was not replaced. */
async function startOthers(tools: Tools, services: readonly StackService[]): Promise<void> {
  if (services.length === 0) return
  await tools.work.step("start-others", startThese(tools, names(services)))
  await tools.work.check("wait-others", () => waitHealthy(tools, definitions(services)), undefined)
}

/** Shell text that starts these services as they are. */
export function startThese({ stack }: Tools, services: readonly string[]): Command {
  return stack.up(services, { noRecreate: true, noDependencies: true, pull: "never" })
}
