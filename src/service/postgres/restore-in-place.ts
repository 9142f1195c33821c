import { failure, refusal } from "../../core/errors.ts"
import type { Artifact, DatabaseContents, ServiceBackup } from "../../core/manifest.ts"
import { compareDatabases, describeDifference, differentContent } from "../../core/manifest-contents.ts"
import { sh } from "../../shell/command.ts"
import type { InPlace } from "../driver.ts"
import { assertUnchanged } from "./assert-unchanged.ts"
import { countDatabases } from "./count-databases.ts"
import { dropSql } from "./drop-sql.ts"
import { execInside, named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce } from "./marked-lines.ts"
import { storedAs } from "./packing.ts"
import type { Place } from "./place.ts"
import type { BesideNames, RestoreJob } from "./restore-job.ts"
import { dropBeside, restoreBeside } from "./restore-steps.ts"
import { type DatabaseFacts, markOf } from "./server-facts.ts"
import { type Lack, noRoom } from "./space.ts"
import { moveAside } from "./swap-sql.ts"
import { undoRestore } from "./undo-restore.ts"

/** One database of a backup on its way back, with its files. */
export interface Incoming {
  readonly names: BesideNames
  readonly expected: DatabaseContents
  readonly artifact: Artifact
  readonly properties: Artifact
  readonly place: Place
}

/**
 * Whether the live databases have to go before the backup's come, since the disk has no room for both. Refuses when that
 * is not allowed, would not make room either, or when something else could go instead: data that restores have kept.
 */
export function mustGiveWay(job: RestoreJob, incoming: readonly Incoming[], lack: Lack, allowed: boolean): boolean {
  const beside = lack("restoring beside")
  if (beside === undefined) return false
  const kept = sizeOf(job, (one) => markOf(one)?.["infra-actions"] === "replaced")
  if (kept > 0 && lack("restoring beside", kept) === undefined)
    throw noRoom(beside, "remove what restores have replaced and kept, by restore with mode: clean.")
  if (!allowed)
    throw noRoom(
      beside,
      "the live data is only replaced by data that was restored beside it. Where that cannot be, in-place: true lets the restore back the live data up, drop it and bring the backup in its place.",
    )
  assertRoomInPlace(job, incoming, lack)
  if (job.server.ownTablespaces.length > 0)
    throw noRoom(beside, "in-place cannot tell what dropping would free where a server has tablespaces of its own.")
  return true
}

/**
 * Drops the live databases that the incoming ones replace, when all that can be known beforehand speaks for it: the files
 * are whole and decode to their end, everything but their rows can be made on this server, and a proven backup holds
 * each row of what goes, compared when no client finds it any more. Until `noWayBack` every failure leaves the live
 * data as it was.
 */
export async function giveWay(
  job: RestoreJob,
  incoming: readonly Incoming[],
  { inPlace, look }: { readonly inPlace: InPlace; readonly look: () => Promise<Lack> },
): Promise<void> {
  const { service, container, work } = job
  await assertUnchanged(
    job,
    incoming.flatMap((one) => [one.artifact, one.properties]),
  )
  for (const one of incoming) await tryOut(job, one)
  const going = incoming.map((one) => one.names).filter((one) => one.exists)
  const held = await inPlace.hold(async (backup) => (await notHeld(job, going, "live", backup)).length === 0)
  // The disk may be the one that the backup of it went to.
  assertRoomInPlace(job, incoming, await look())
  await moveOut(job, going)
  try {
    if (held) await assertHeld(job, going, held)
    await inPlace.noWayBack()
  } catch (error) {
    // The error is the one to hear about; what cannot be put back now, the next run finds by its mark.
    await undoRestore(service, container, work, { only: [work.id] }).catch((problem: unknown) => {
      if (error instanceof Error) error.cause ??= problem
    })
    throw error
  }
  await dropToMakeRoom(
    job,
    going.map((one) => one.old),
  )
}

function assertRoomInPlace(job: RestoreJob, incoming: readonly Incoming[], lack: Lack): void {
  const still = lack(
    "restoring in place",
    sizeOf(job, ({ name }) => incoming.some(({ names }) => names.live === name)),
  )
  if (still !== undefined) throw noRoom(still, "also without the live data there is too little.")
}

/** Drops databases that make room for a restore. Can be repeated. */
export async function dropToMakeRoom(
  { service, container, work }: Pick<RestoreJob, "service" | "container" | "work">,
  databases: readonly string[],
  step = "make-room",
): Promise<void> {
  if (databases.length === 0) return
  const nonce = newNonce()
  // By this name a later run sees that it is still at work.
  const args = [nonce, "dbname='template1' application_name='infra-actions-restore-drop'"]
  const { stdout } = await work
    .step(`${step}-${service.name}`, execInside("change", container, { name: "apply", args }), {
      input: databases.map(dropSql).join("\n"),
      assume: `${nonce} end 0\n`,
    })
    .catch((error: unknown) => {
      throw named(`dropping ${databases.join(", ")} to make room`, "postgres-drop-failed", error)
    })
  if (!cameToEnd(markedLines(stdout, nonce)))
    throw failure("postgres-drop-failed", `dropping ${databases.join(", ")} to make room broke off`)
}

/** Reads the whole file, and makes everything that it holds but the rows: what this server lacks for it shows now. */
async function tryOut(job: RestoreJob, { names, expected, artifact, properties, place }: Incoming): Promise<void> {
  await job.work.check(`decode-${job.service.name}-${names.step}`, () => decode(job, artifact), undefined)
  try {
    const made = await restoreBeside(job, names, { expected, artifact: properties, properties, place, trial: true })
    if (tableNames(made.contents) !== tableNames(expected))
      throw failure(
        "restore-differs",
        `the file of database "${names.live}" does not hold the tables of the manifest`,
        {
          hint: "Nothing live was touched. Use another backup, or this one's copy in the other store.",
        },
      )
  } catch (error) {
    await dropBeside(job, [expected], error)
    throw error
  }
  await dropToMakeRoom(job, [names.name], "drop-tried")
}

function tableNames({ tables }: DatabaseContents): string {
  return JSON.stringify(tables.map(({ schema, name }) => JSON.stringify([schema, name])).sort())
}

async function decode({ service, container }: RestoreJob, { file, bytes }: Artifact): Promise<void> {
  const nonce = newNonce()
  const check = execInside("read", container, { name: "check", args: [nonce, storedAs(file)] })
  const { stdout } = await service.host
    .run(sh`${check} <${`${service.backups}/${file}`}`, { timeout: 600_000 + Math.ceil(bytes / 5000) })
    .catch((error: unknown) => {
      throw named(`reading ${file} to its end`, "backup-damaged", error)
    })
  if (!cameToEnd(markedLines(stdout, nonce))) throw failure("backup-damaged", `reading ${file} to its end broke off`)
}

/** From here on no client finds them, and none can write to them. */
async function moveOut({ service, container, work, server }: RestoreJob, going: readonly BesideNames[]): Promise<void> {
  const comments = new Map(server.databases.map((one) => [one.name, one.comment]))
  const kept = { run: work.id, at: server.now, made: [], leaving: true }
  const sql = going.flatMap(({ live, old }) => moveAside(live, old, { ...kept, comment: comments.get(live) ?? null }))
  const names = JSON.stringify(going.map(({ live }) => live))
  await work
    .step(`move-out-${service.name}`, execInside("change", container, { name: "swap", args: [newNonce(), names] }), {
      input: ["begin", ...sql, "commit", ""].join(";\n"),
    })
    .catch((error: unknown) => {
      throw named(`moving the live databases of ${service.name} out of the way`, "postgres-swap-failed", error)
    })
}

async function assertHeld(job: RestoreJob, going: readonly BesideNames[], held: ServiceBackup): Promise<void> {
  const missing = await job.work.check(`held-${job.service.name}`, () => notHeld(job, going, "old", held), [])
  if (missing.length === 0) return
  throw refusal("data-changed", `the backup does not hold what is in ${job.service.name} now: ${missing.join("; ")}`, {
    hint: "Something other than the app has written. Stop it, then run this again: the live data is as it was.",
  })
}

/** Where the databases, by the names they have now, are not row by row what a backup holds; empty: it holds them all. */
async function notHeld(
  { service, container }: RestoreJob,
  going: readonly BesideNames[],
  now: "live" | "old",
  { contents }: ServiceBackup,
): Promise<readonly string[]> {
  const held = contents.kind === "postgres" ? contents.databases : []
  const expected = going.flatMap(({ live }) => held.filter((one) => one.name === live))
  const unread = expected.filter(({ tables }) => tables.some((table) => table.checksum === undefined))
  if (expected.length < going.length || unread.length > 0) return ["not every database with the checksums of its rows"]
  const names = going.map((one) => one[now])
  const counted = await countDatabases(service, container, names, { checksums: true })
  const actual = counted.map((one, at) => ({ ...one, name: going[at]?.live ?? one.name }))
  return [...compareDatabases(expected, actual).map(describeDifference), ...differentContent(expected, actual)].slice(
    0,
    10,
  )
}

function sizeOf({ server }: RestoreJob, counts: (database: DatabaseFacts) => boolean): number {
  return server.databases.filter(counts).reduce((sum, { size }) => sum + size, 0)
}
