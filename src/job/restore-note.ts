import { failure } from "../core/errors.ts"
import { type Manifest, manifestSchema } from "../core/manifest.ts"
import { readNote, writeNote } from "./note.ts"
import { noteStoppedApp, type Restoring, readStoppedApp, type StoppedAppNote } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { stopWriters, waitsForRestore } from "./writers.ts"

/** A note of a restore under way. */
export type RestoreNote = StoppedAppNote & { readonly restoring: Restoring }

/**
 * Writes down what is going to be restored, durably, and stops the app: whoever is killed from here on leaves to the next
 * run all that it needs to finish or to undo. Where the host waited for a restore there is no way back.
 */
export async function noteRestore(
  tools: Tools,
  manifest: Manifest,
  { services, inPlace }: { readonly services: readonly string[]; readonly inPlace?: Restoring["inPlace"] },
): Promise<void> {
  const forward = (await waitsForRestore(tools)) !== undefined
  await tools.work.step("note-restore", writeNote(manifestFile(tools), manifest))
  const restoring = { ids: [tools.work.id], services: [...services], done: [], forward, inPlace }
  await stopWriters(tools, { awaits: "restore", backup: manifest.id, restoring })
}

/** The backup `id`, which a restore under way brings back. */
export async function readRestored(tools: Pick<Tools, "host" | "layout">, id: string): Promise<Manifest> {
  const file = manifestFile(tools)
  const manifest = await readNote(tools, file, manifestSchema)
  if (manifest?.id === id) return manifest
  throw failure(
    "note-unreadable",
    `${file} should say what ${id} holds, and ${manifest ? `is about ${manifest.id}` : "is not there"}`,
    {
      hint: `Restore ${id} again, or another backup.`,
    },
  )
}

/** This service's restored data is proven to serve. */
export async function noteRestored(tools: Tools, service: string): Promise<void> {
  await renote(tools, `note-restored-${service}`, (note) => ({ ...note, done: [...note.done, service] }))
}

/** From here on what was there before does not serve any more: an interrupted restore can only go on. */
export async function noWayBack(tools: Tools): Promise<void> {
  await renote(tools, "note-no-way-back", (note) => ({ ...note, forward: true }))
}

/** The live data of this service is dropped from here on, which the backup `held` holds: an interrupted restore can only go on. */
export async function noteDropped(tools: Tools, service: string, held: string | null): Promise<void> {
  await renote(tools, `note-dropped-${service}`, ({ inPlace = { force: false, dropped: {} }, ...note }) => ({
    ...note,
    forward: true,
    inPlace: { ...inPlace, dropped: { ...inPlace.dropped, [service]: held } },
  }))
}

/** This run's works take part from here on: what they leave is theirs. */
export async function noteGoesOn(tools: Tools): Promise<void> {
  await renote(tools, "note-goes-on", (note) => ({ ...note, ids: [tools.work.id, ...note.ids] }))
}

/**
 * All go back from here on: which have the restored data is to be looked at by who comes after, not to be read here. The note
 * as it then is; undefined where there is none.
 */
export async function noteGoesBack(tools: Tools): Promise<RestoreNote | undefined> {
  return renote(tools, "note-goes-back", (note) => ({ ...note, done: [] }))
}

/** What a restore under way has noted; undefined where there is none. */
export async function readRestoring(tools: Tools): Promise<RestoreNote | undefined> {
  const note = await readStoppedApp(tools)
  return note?.restoring && { ...note, restoring: note.restoring }
}

async function renote(
  tools: Tools,
  step: string,
  edit: (note: Restoring) => Restoring,
): Promise<RestoreNote | undefined> {
  const before = await readRestoring(tools)
  if (!before) return undefined
  const note = { ...before, restoring: edit(before.restoring) }
  await tools.work.step(step, noteStoppedApp(tools.layout, note))
  return note
}

function manifestFile({ layout }: Pick<Tools, "layout">): string {
  return `${layout.state}/restore.json`
}
