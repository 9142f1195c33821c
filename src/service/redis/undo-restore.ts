import { failure, refusal } from "../../core/errors.ts"
import { compareFingerprints } from "../../core/fingerprint.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { Service } from "../driver.ts"
import { atData, atDirectory, loadArguments } from "./data-work.ts"
import { fingerprintServer } from "./fingerprint-server.ts"
import { heldBefore, type KeptData, keptFolder, keptNote, liveSettings, readKept } from "./kept-data.ts"
import { putBack, type Reached } from "./put-back.ts"
import { assertMaster } from "./replication.ts"
import { stopServer } from "./stop-server.ts"
import { askReadyServer, loadLimit, refuseSharedData, waitForServer } from "./wait-server.ts"

/**
 * Takes the last restore back: the files that it replaced serve again; those that it had brought, saved first, are kept
 * in the same way, so that this can be taken back too. When the old data does not come up with the keys it had, all is
 * put back as it was. Refuses a replica. Throws `nothing-to-undo` when no restore, or none of the work `run`, left anything.
 */
export async function undoRestore(service: Service, container: Container, work: Work, run?: string): Promise<string> {
  assertMaster(service, await askReadyServer(service, container))
  const settings = await liveSettings(service, container)
  const kept = await readKept(service, container, settings)
  // One that was still being filled when its restore was cut has no time.
  const last = kept.findLast(
    ({ at, failed, note }) => at !== undefined && !failed && (run === undefined || note?.run === run),
  )
  if (last === undefined)
    throw refusal("nothing-to-undo", `${service.name} has no data that a restore replaced`, {
      hint: "Only what a restore kept can be brought back; restore a backup instead.",
    })
  if (last.note?.append && settings.append === undefined)
    throw refusal("append-only-off", `${service.name} kept append-only files, and does not load any now`, {
      hint: "Switch appendonly on again for the undo.",
    })
  const place = { service, container, settings, work: { ...work, id: freeId(work.id, kept) } }
  let reached: Reached = "staged"
  try {
    await refuseSharedData(service, container, settings.mount)
    reached = "stopped"
    const held = await stopServer(service, container, work)
    reached = "swapped"
    const rest = [...loadArguments(settings), keptNote(settings, work.id, held), last.folder]
    await work.step(`take-back-${service.name}`, atData(place, "redis-take-back", rest))
    await work.step(`start-${service.name}`, service.stack.start([container]))
    await work.check(`loaded-${service.name}`, () => proveOld(service, container, last), undefined)
  } catch (error) {
    await putBack({ ...place, reached, from: last.folder }, error)
  }
  const empty = atDirectory(place, "redis-taken", { effect: "change", args: [last.folder] })
  await work.step(`taken-${service.name}`, empty)
  return `The keys of ${service.name} as before the restore${last.at === undefined ? "" : ` of ${last.at}`}; what it had brought is in its data directory, in ${keptFolder(place.work.id)}.`
}

/** Another undo of the same run has its own folder, which this one must not fill. */
function freeId(id: string, kept: readonly KeptData[]): string {
  const taken = (one: string) => kept.some(({ folder }) => folder === keptFolder(one))
  for (let number = 2, free = id; ; number++, free = `${id}-${number}`) if (!taken(free)) return free
}

/** Keys without an expiry must all be there; of the others, time has removed some, all once theirs was over. */
async function proveOld(service: Service, container: Container, { bytes, note }: KeptData): Promise<void> {
  await waitForServer(service, container, loadLimit(bytes))
  const before = heldBefore(service.name, note)
  if (!before) return
  const lost = compareFingerprints([before], [await fingerprintServer(service, container)])
  if (lost.length === 0) return
  const shown = lost.map((one) => `${one.fact} ${one.after} instead of ${one.before}`)
  throw failure("undo-differs", `${service.name} did not load what the restore had replaced: ${shown.join("; ")}`)
}
