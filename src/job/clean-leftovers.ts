import { z } from "zod"
import { AppError, messageOf } from "../core/errors.ts"
import type { Layout } from "../core/layout.ts"
import { type BegunBackup, halfWritten, type LeftoverOptions, leftovers, settled, stemsOf } from "../core/leftovers.ts"
import type { Command } from "../shell/command.ts"
import type { BackupStore, NotedUpload } from "../storage/backup-store.ts"
import { artifactFiles } from "../storage/manifest-file.ts"
import { readNotes, removeNotes, writeNote } from "./note.ts"
import { localStore, remoteStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/** A day: for so long a runner that was only stalled could still publish what it has put into S3. */
const safeAge = 86_400_000

/**
 * Removes what killed backups and upgrades left in the stores: files and objects whose names an earlier run wrote down
 * before it made them, of a backup that was never published, and that no manifest in any store names. On the host at once,
 * for the lock is ours; objects in S3 after a day, those of a backup that was published without them as well; unfinished
 * uploads at once, by their ids. What a lock in S3 keeps is told, and looked at again by the next run. To be called under
 * the lock before a backup begins. What goes wrong is a warning: the next run tries again.
 */
export async function cleanLeftovers(tools: Tools): Promise<void> {
  if (tools.work.dryRun) return
  try {
    const begun = await readBegun(tools)
    const local = localStore(tools.stores)
    const mine = (await local.list()).backups.map(({ manifest }) => manifest)
    await cleanHalves(tools, { begun, own: new Set(mine.flatMap((one) => artifactFiles(one))) })
    const noted = (await remoteStore(tools.stores)?.uploads?.noted()) ?? []
    const stored = new Set(mine.flatMap(({ storage }) => storage.objects.map(({ key }) => key)))
    let objects = await endUploads(tools, noted, stored)
    const known = {
      begun,
      named: new Set<string>(),
      published: new Set(mine.map(({ id }) => id)),
      now: tools.clock.now(),
    }
    // Reading every manifest of every store is worth it only where one was not published, as a rule none.
    if (objects.length > 0 || begun.some(({ id }) => !known.published.has(id))) {
      for (const store of tools.stores) {
        const { paths, keys, ids } = await store.named()
        for (const path of paths) known.named.add(path)
        for (const key of keys) stored.add(key)
        for (const id of ids) known.published.add(id)
      }
      for (const store of tools.stores) await cleanStore(tools, store, known)
      objects = await cleanObjects(tools, objects, stored)
    }
    const over = settled({ ...known, age: tools.stores.some(isRemote) ? safeAge : 0 })
    const notes = new Set(noted.map(({ note }) => note))
    for (const { note } of objects) notes.delete(note)
    const [first, ...more] = [...over.map((one) => begunFile(tools.layout, one)), ...notes]
    if (first !== undefined) await tools.work.step("forget-begun", removeNotes(first, ...more))
  } catch (error) {
    if (tools.signal.aborted || !(error instanceof AppError) || error.code === "lease-lost") throw error
    tools.log.warning(`What killed backups left could not be cleaned away: ${messageOf(error)}`)
  }
}

/** Shell text that writes down, durably, that files of this backup are going to be made. */
export function noteBegun({ state }: Pick<Layout, "state">, backup: BegunBackup): Command {
  return writeNote(begunFile({ state }, backup), backup)
}

async function cleanHalves(tools: Tools, ours: Parameters<typeof halfWritten>[1]): Promise<void> {
  const local = localStore(tools.stores)
  const halves = halfWritten(await local.below(["postgres/", "dragonfly/", "metadata/"]), ours)
  if (halves.length === 0) return
  await local.removeStrays(halves, tools.work)
  for (const file of halves) tools.log.info(`local: removed ${file}, which a killed run left half written`)
}

async function cleanStore(tools: Tools, store: BackupStore, known: Omit<LeftoverOptions, "age">): Promise<void> {
  const unpublished = known.begun.filter(({ id }) => !known.published.has(id))
  const stems = unpublished.flatMap(stemsOf)
  if (stems.length === 0) return
  const age = isRemote(store) ? safeAge : 0
  await removeStrays(tools, store, leftovers(await store.below(stems), { ...known, age }))
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

function isRemote({ name }: BackupStore): boolean {
  return name !== "local"
}

const begunSchema = z.object({ id: z.string(), stamp: z.string(), services: z.array(z.string()), at: z.iso.datetime() })

async function readBegun(tools: Tools): Promise<readonly BegunBackup[]> {
  const { notes, problems } = await readNotes(tools, `${tools.layout.state}/begun`, begunSchema)
  for (const problem of problems) tools.log.warning(`What that backup left is not cleaned away: ${problem}`)
  return notes
}

function begunFile({ state }: Pick<Layout, "state">, { id, stamp }: Pick<BegunBackup, "id" | "stamp">): string {
  return `${state}/begun/${id}-${stamp}.json`
}
