import { AppError, failure, messageOf } from "../core/errors.ts"
import { compareFingerprints } from "../core/fingerprint.ts"
import { HostError } from "../host/host.ts"
import { assertSoleServer } from "./ensure-running.ts"
import { fingerprints } from "./fall-back.ts"
import { settleRestore } from "./settle-restore.ts"
import { definitions, holdsData, names, servicesOf } from "./stack-services.ts"
import { noteStoppedApp, readStoppedApp, type StoppedAppNote } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"
import { restoreFirst, startWriters, waitsForRestore } from "./writers.ts"

/**
 * Finishes or undoes what a killed run left. A recreate: its services are started, the data's fingerprint is compared with
 * that of the clean stop, and the app starts again; with other data it stays stopped for a restore. A restore:
 * `settleRestore`. Does nothing where no run was cut off while the app was stopped. What cannot be finished is told, and
 * the note of it stays: the job at hand may be the cure. Half of a restore has one cure only, another restore (`cures`):
 * throws `restore-cut` for any other job.
 */
export async function finishInterrupted(
  tools: Tools,
  { cures = false }: { readonly cures?: boolean } = {},
): Promise<void> {
  const note = await readStoppedApp(tools)
  if (!note) return
  if (note.awaits === "restore" && !note.restoring) {
    if (await waitsForRestore(tools)) tools.log.warning(`As an earlier run noted, ${restoreFirst(note)}`)
    return
  }
  const { restoring } = note
  try {
    await tools.log.group("finishing an interrupted run", () =>
      restoring ? settleRestore(tools, { ...note, restoring }) : finish(tools, note),
    )
  } catch (error) {
    if (tools.signal.aborted || error instanceof HostError || !(error instanceof AppError)) throw error
    if (restoring && !cures) throw unsettled(error)
    tools.log.warning(`An interrupted run could not be finished, the app stays stopped: ${messageOf(error)}`)
  }
}

function unsettled(error: AppError): AppError {
  return failure("restore-cut", `a restore was cut off and can be neither finished nor undone: ${error.message}`, {
    hint: "The app stays stopped. Mend what the message names and run this again, or restore a backup.",
    cause: error,
  })
}

async function finish(tools: Tools, note: StoppedAppNote): Promise<void> {
  tools.log.warning("An earlier run was cut off while it had the app stopped")
  const services = await servicesOf(tools, "infrastructure")
  if (services.some((one) => one.container?.state !== "running")) {
    for (const one of services.filter(holdsData)) await assertSoleServer(tools, one)
    const start = tools.stack.up(names(services), { noRecreate: true, pull: "never" })
    await tools.work.step("start-interrupted", start)
  }
  await tools.work.check("wait-interrupted", () => waitHealthy(tools, definitions(services)), undefined)
  const before = note.fingerprints
  const now = await tools.work.check("compare-interrupted", () => serving(tools, before), before)
  const [difference] = compareFingerprints(before, now)
  if (difference === undefined) return startWriters(tools)
  const { service, fact, before: was, after } = difference
  await tools.work.step("note-restore", noteStoppedApp(tools.layout, { ...note, awaits: "restore" }))
  tools.log.warning(
    `The data of ${service} is not what the interrupted run had stopped (${fact}: ${was}, now ${after}): ${restoreFirst(note)}`,
  )
}

async function serving(tools: Tools, before: StoppedAppNote["fingerprints"]) {
  if (before.length === 0) return []
  const services = await servicesOf(tools, "infrastructure")
  return fingerprints(services.filter(holdsData))
}
