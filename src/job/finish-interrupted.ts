import { AppError, failure, messageOf } from "../core/errors.ts"
import { HostError } from "../host/host.ts"
import { lines, sh } from "../shell/command.ts"
import { tellDumps } from "./dump-keys.ts"
import { assertSoleServer } from "./ensure-running.ts"
import { type Failed, goBack, type Interrupted, startThese } from "./go-back.ts"
import { putDefinitionBack, readInstalled } from "./install-definition.ts"
import { recordInfrastructure } from "./record-infrastructure.ts"
import { settleRestore } from "./settle-restore.ts"
import { settleUndo } from "./settle-undo.ts"
import { holdsData, names, servicesOf } from "./stack-services.ts"
import { comparedOnce, type NotStarted, tryCompared } from "./start-compared.ts"
import { noteStoppedApp, readStoppedApp, type StoppedAppNote } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import {
  appRuns,
  keepAppStopped,
  restoreFirst,
  startWriters,
  tellStartedByHand,
  waitsForRestore,
  writersBeside,
} from "./writers.ts"

/**
 * Finishes or undoes what a killed run left. A recreate: its services are started, the data's fingerprint is compared with
 * that of the clean stop, and the app starts again; new containers that do not serve the same data give way to the
 * previous images and definition; where these do not either, it stays stopped for a restore. A restore: `settleRestore`;
 * an undo of one: `settleUndo`.
 * Does nothing where no run was cut off, but for a definition that nothing was made of. What cannot be finished is told,
 * and the note of it stays: the job at hand may be the cure. Half of a restore or undo has one cure only, another restore
 * (`cures`): throws `restore-cut` for any other job. Gives one sentence when it has finished an undo.
 */
export async function finishInterrupted(
  tools: Tools,
  { cures = false }: { readonly cures?: boolean } = {},
): Promise<string | undefined> {
  const note = await readStoppedApp(tools)
  if (!note) {
    await takeBackDefinition(tools)
    return undefined
  }
  const { restoring, undoing } = note
  if (note.awaits === "restore" && !restoring && !undoing) {
    if (await waitsForRestore(tools)) {
      tools.log.warning(`As an earlier run noted, ${restoreFirst(note)}`)
      tellDumps(tools, note.dumps ?? {})
      const keep = await keepAppStopped(tools)
      if (keep.length > 0) await tools.work.step("keep-app-stopped", lines(sh`set -e`, ...keep))
    } else await tellStartedByHand(tools, note)
    return undefined
  }
  try {
    return await tools.log.group("finishing an interrupted run", async () => {
      if (undoing) return settleUndo(tools, { ...note, undoing })
      await (restoring ? settleRestore(tools, { ...note, restoring }) : finish(tools, note))
      return note.undone
    })
  } catch (error) {
    if (tools.signal.aborted || error instanceof HostError || !(error instanceof AppError)) throw error
    // It may be that only the app does not serve any more.
    const left = await readStoppedApp(tools)
    const half = left?.undoing ? "an undo of a restore" : left?.restoring && "a restore"
    if (half && !cures) throw unsettled(error, half)
    const app = (await appRuns(tools)) ? "" : ", the app stays stopped"
    tools.log.warning(`An interrupted run could not be finished${app}: ${messageOf(error)}`)
    if (error.hint !== undefined) tools.log.warning(error.hint)
    tellDumps(tools, left?.dumps ?? {})
    return left?.undone
  }
}

/** A run that was cut off before it stopped anything leaves at most a definition that nothing was made of. */
async function takeBackDefinition(tools: Tools): Promise<void> {
  const installed = await readInstalled(tools)
  if (installed.length === 0) return
  tools.log.warning("An earlier run was cut off before it replaced anything: its definition is taken back")
  await putDefinitionBack(tools, installed)
}

function unsettled(error: AppError, what: string): AppError {
  return failure("restore-cut", `${what} was cut off and can be neither finished nor taken back: ${error.message}`, {
    hint: "Mend what the message names and run this again, or restore a backup. Until then a stopped app stays stopped.",
    cause: error,
  })
}

async function finish(tools: Tools, note: StoppedAppNote): Promise<void> {
  tools.log.warning(`An earlier run was cut off while it had the app stopped${note.undone ? `: ${note.undone}` : ""}`)
  if (await appRuns(tools)) return goOnBeside(tools, note, "the app")
  // No new container was begun with: what came for them goes as well.
  if (!note.previous) await putDefinitionBack(tools, await readInstalled(tools))
  const services = await servicesOf(tools, "infrastructure")
  // What a run starts of these it starts without fingerprints in its note.
  const writers = note.fingerprints.length > 0 ? await writersBeside(tools, services.filter(holdsData)) : []
  if (writers.length > 0) return goOnBeside(tools, note, names(writers).join(", "))
  // Before anything is tried, and taken back when it fails.
  for (const one of services.filter(holdsData)) await assertSoleServer(tools, one)
  let failed = await goOn(tools, { note, services })
  // What now serves is no commit's: some of it may be from before.
  if (!failed && note.previous) await recordInfrastructure(tools, services, { mixed: true })
  if (failed && Object.keys(note.previous ?? {}).length > 0) failed = await goBack(tools, { note, services, failed })
  if (!failed) return startWriters(tools)
  if (failed.differences.length === 0) throw failed.error
  await leaveToRestore(tools, { note, services, failed })
}

/**
 * Somebody, or the engine at its start, has started `who` since, which writes. What it deletes is not lost, so keys are not
 * compared (a database's facts only grow), and nothing may be taken away under it, nor a store be killed that has not saved
 * what it wrote: what is stopped is started, no more.
 */
async function goOnBeside(tools: Tools, note: StoppedAppNote, who: string): Promise<void> {
  tools.log.warning(`Somebody has started ${who} since: the keys are not compared, and nothing is put back`)
  const services = await servicesOf(tools, "infrastructure")
  const databases = names(services.filter((one) => one.service.kind === "postgres"))
  const fingerprints = note.fingerprints.filter(({ service }) => databases.includes(service))
  const failed = await goOn(tools, { note: { ...note, fingerprints }, services })
  if (failed) throw failed.error
  if (note.previous) await recordInfrastructure(tools, services, { mixed: true })
  await startWriters(tools)
}

/** Starts what is there, the data services first. */
async function goOn(tools: Tools, { note, services }: Interrupted): Promise<NotStarted | undefined> {
  return tryCompared(tools, {
    ...{ services, before: note.fingerprints },
    step: { start: "start-interrupted", wait: "wait-interrupted", compare: "compare-interrupted" },
    ...comparedOnce(tools, note, (some) => startThese(tools, some)),
  })
}

/** Everything but the app runs, for a restore needs its servers. */
async function leaveToRestore(tools: Tools, { note, services, failed }: Failed): Promise<void> {
  const { previous: _over, ...left } = note
  const noted = noteStoppedApp(tools.layout, { ...left, awaits: "restore" })
  const rest = names(services.filter((one) => !holdsData(one)))
  const start = rest.length === 0 ? [] : [startThese(tools, rest)]
  await tools.work.step("note-restore", lines(sh`set -e`, noted, ...(await keepAppStopped(tools)), ...start))
  const [{ service, fact, before, after } = { service: "?", fact: "?", before: "?", after: "?" }] = failed.differences
  tools.log.warning(
    `The data of ${service} is not what the interrupted run had stopped (${fact}: ${before}, now ${after}): ${restoreFirst(note)}`,
  )
  tellDumps(tools, note.dumps ?? {})
}
