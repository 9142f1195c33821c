import { z } from "zod"
import { backupId, backupStamp } from "../core/backup-id.ts"
import { AppError, messageOf } from "../core/errors.ts"
import type { Layout } from "../core/layout.ts"
import {
  type BegunBackup,
  begunOf,
  deadIn,
  type HeldByStore,
  halfWritten,
  type LeftoverOptions,
  leftovers,
  safeAge,
  settled,
  stemsOf,
} from "../core/leftovers.ts"
import type { Manifest } from "../core/manifest.ts"
import type { BackupTarget } from "../service/driver.ts"
import type { Command } from "../shell/command.ts"
import type { BackupStore, NotedUpload } from "../storage/backup-store.ts"
import { artifactFiles } from "../storage/manifest-file.ts"
import { readNotes, removeNotes, writeNote } from "./note.ts"
import { pruneUnstarted } from "./prune-unstarted.ts"
import { readStoppedApp } from "./stopped-app-note.ts"
import { localStore, remoteStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/**
 * Removes what killed backups, removals and upgrades left in the stores: files and objects whose names an earlier run wrote
 * down, of a backup that has no manifest there. On the host at once, for the lock is ours; objects in S3 after a day, those
 * of a backup that was published without them as well; unfinished uploads at once, by their ids. A backup that was published
 * in S3 alone and lies here whole is published here. What a lock in S3 keeps is told, and looked at again by the next run.
 * To be called under the lock before a backup begins. What goes wrong is a warning: the next run tries again.
 */
export async function cleanLeftovers(tools: Tools): Promise<void> {
  if (tools.work.dryRun) return
  try {
    await pruneUnstarted(tools)
    // What a restore under way has fetched has no manifest here, and is no leftover.
    const stopped = await readStoppedApp(tools)
    const begun = unasked(tools, await readBegun(tools)).filter(({ id }) => id !== stopped?.backup)
    const local = localStore(tools.stores)
    const mine = (await local.list()).backups.map(({ manifest }) => manifest)
    const own = { ids: new Set(mine.map(({ id }) => id)), paths: new Set(mine.flatMap((one) => artifactFiles(one))) }
    await cleanHalves(tools, { begun, own: own.paths })
    const noted = (await remoteStore(tools.stores)?.uploads?.noted()) ?? []
    const stored = new Set(mine.flatMap(({ storage }) => storage.objects.map(({ key }) => key)))
    let objects = await endUploads(tools, noted, stored)
    const held: Held = new Map([["local", own]])
    const known = { begun: await besidesKept(tools, begun, stopped !== undefined), held, now: tools.clock.now() }
    // Reading every manifest of every store is worth it only where one is not what its run was to leave, as a rule none.
    if (objects.length > 0 || known.begun.some(({ id, from }) => from !== undefined || !own.ids.has(id))) {
      for (const store of tools.stores) {
        const { keys, ...named } = await store.named()
        known.held.set(store.name, named)
        for (const key of keys) stored.add(key)
      }
      await publishWhole(tools, known)
      for (const store of tools.stores) await cleanStore(tools, store, known)
      objects = await cleanObjects(tools, objects, stored)
    }
    const notes = new Set(noted.map(({ note }) => note))
    for (const { note } of objects) notes.delete(note)
    const [first, ...more] = [...settled(known).map((one) => begunFile(tools.layout, one)), ...notes]
    if (first !== undefined) await tools.work.step("forget-begun", removeNotes(first, ...more))
  } catch (error) {
    if (tools.signal.aborted || !(error instanceof AppError) || error.code === "lease-lost") throw error
    tools.log.warning(`What killed backups left could not be cleaned away: ${messageOf(error)}`)
  }
}

/** Without what came from a store that is not configured any more: only its manifest there tells that it is a backup. */
function unasked({ log, stores }: Tools, begun: readonly BegunBackup[]): readonly BegunBackup[] {
  const unknown = remoteStore(stores) ? [] : begun.filter(({ coming }) => coming)
  for (const { id } of unknown)
    log.warning(
      `${id}, which came from S3, stays as files without a manifest here: with S3 configured it becomes a backup`,
    )
  return begun.filter((one) => !unknown.includes(one))
}

type Held = Map<BackupStore["name"], HeldByStore>

/** A run that was killed between S3's manifest and the local one, or a restore, has left a whole backup here: it needs only that. */
async function publishWhole(tools: Tools, known: LeftoverOptions & { readonly held: Held }): Promise<void> {
  const [local, s3] = [localStore(tools.stores), remoteStore(tools.stores)]
  const unpublished = deadIn("local", known).filter(({ id, from }) => !from && known.held.get("s3")?.ids.has(id))
  if (!s3 || unpublished.length === 0) return
  for (const { manifest } of (await s3.list()).backups) {
    if (!unpublished.some(({ id }) => id === manifest.id) || (await local.verify(manifest)).length > 0) continue
    await local.putManifest(manifest, tools.work)
    known.held.set("local", await local.named())
    tools.log.info(`local: ${manifest.id}, of which only S3 had a manifest, lies here whole: published`)
  }
}

/** Shell text that writes down, durably, that files of this backup are going to be made, or removed. */
export function noteBegun({ state }: Pick<Layout, "state">, backup: BegunBackup): Command {
  return writeNote(begunFile({ state }, backup), backup)
}

/** Writes down that a backup comes from S3 that has no manifest here: the next one gives it that where it is whole, and else takes it away. */
export async function noteComing({ clock, layout, work }: Tools, manifest: Manifest): Promise<void> {
  await work.step(
    "note-coming",
    noteBegun(layout, { ...begunOf(manifest), at: clock.now().toISOString(), coming: true }),
  )
}

/**
 * What a dump that is to be no backup is called; noted before it is made, so that a later run takes away what a kill leaves:
 * the next one, unless it is `kept`.
 */
export async function noteDump(
  tools: Tools,
  service: string,
  { kept }: Pick<BegunBackup, "kept"> = {},
): Promise<BackupTarget> {
  const now = tools.clock.now()
  const target = { id: backupId(now), stamp: backupStamp(now) }
  const begun = noteBegun(tools.layout, { ...target, services: [service], at: now.toISOString(), kept })
  await tools.work.step(`note-dump-${service}`, begun)
  return target
}

/**
 * Without the dumps that stay: as long as our own hand has the app stopped nobody knows who needs them, and for a day after
 * that a person may, who finds that a restore has brought back less.
 */
async function besidesKept(
  tools: Tools,
  begun: readonly BegunBackup[],
  isStopped: boolean,
): Promise<readonly BegunBackup[]> {
  const now = tools.clock.now()
  const rest: BegunBackup[] = []
  for (const one of begun) {
    if (one.kept === undefined) rest.push(one)
    else if (isStopped) continue
    else if (one.kept === "for-a-day") {
      if (now.getTime() - Date.parse(one.at) >= safeAge) rest.push(one)
    } else {
      const note = noteBegun(tools.layout, { ...one, kept: "for-a-day", at: now.toISOString() })
      await tools.work.step("keep-dump", note)
    }
  }
  return rest
}

async function cleanHalves(tools: Tools, ours: Parameters<typeof halfWritten>[1]): Promise<void> {
  const local = localStore(tools.stores)
  const halves = halfWritten(await local.below(["postgres/", "dragonfly/", "metadata/"]), ours)
  if (halves.length === 0) return
  await local.removeStrays(halves, tools.work)
  for (const file of halves) tools.log.info(`local: removed ${file}, which a killed run left half written`)
}

async function cleanStore(tools: Tools, store: BackupStore, known: LeftoverOptions): Promise<void> {
  const stems = deadIn(store.name, known).flatMap(stemsOf)
  if (stems.length === 0) return
  await removeStrays(tools, store, leftovers(store.name, await store.below(stems), known))
}

/** False when a lock keeps one of them. */
async function removeStrays(tools: Tools, store: BackupStore, files: readonly string[]): Promise<boolean> {
  if (files.length === 0) return true
  const stay = await store.removeStrays(files, tools.work)
  for (const file of files) {
    const why = stay.get(file)
    const what = why === undefined ? `removed ${file}` : `${file} stays, ${why}`
    tools.log.info(`${store.name}: ${what}, which a killed run left and no backup has`)
  }
  return stay.size === 0
}

/** Takes back what runs were sending, unless a manifest here names it. Gives those that have become objects. */
async function endUploads(
  tools: Tools,
  noted: readonly NotedUpload[],
  named: ReadonlySet<string>,
): Promise<readonly NotedUpload[]> {
  const objects: NotedUpload[] = []
  for (const one of noted) {
    if (named.has(one.key)) continue
    const found = await remoteStore(tools.stores)?.uploads?.end(one)
    if (found === "object") objects.push(one)
    if (found === "ended") tools.log.info(`s3: took back the unfinished upload of ${one.path}, which a killed run left`)
  }
  return objects
}

/** Removes the objects that no manifest anywhere names, once a day is over. Gives those that stay. */
async function cleanObjects(
  tools: Tools,
  objects: readonly NotedUpload[],
  named: ReadonlySet<string>,
): Promise<readonly NotedUpload[]> {
  const store = remoteStore(tools.stores)
  const stay: NotedUpload[] = []
  for (const one of objects) {
    if (!store || named.has(one.key)) continue
    const isOld = tools.clock.now().getTime() - Date.parse(one.at) >= safeAge
    if (!isOld || !(await removeStrays(tools, store, [one.path]))) stay.push(one)
  }
  return stay
}

const begunSchema = z.object({
  id: z.string(),
  stamp: z.string(),
  services: z.array(z.string()),
  at: z.iso.datetime(),
  from: z.enum(["local", "s3"]).optional(),
  kept: z.enum(["while-stopped", "for-a-day"]).optional(),
  coming: z.boolean().optional(),
})

async function readBegun(tools: Tools): Promise<readonly BegunBackup[]> {
  const { notes, problems } = await readNotes(tools, `${tools.layout.state}/begun`, begunSchema)
  for (const problem of problems) tools.log.warning(`What that backup left is not cleaned away: ${problem}`)
  return notes
}

function begunFile({ state }: Pick<Layout, "state">, { id, stamp, services, from, kept }: BegunBackup): string {
  // Dumps of two services can begin in one second.
  const more = [...(from ? [from] : []), ...(kept ? services : [])]
  return `${state}/begun/${[id, stamp, ...more].join("-")}.json`
}
