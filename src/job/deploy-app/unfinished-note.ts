import { z } from "zod"
import type { Layout } from "../../core/layout.ts"
import type { Release } from "../../core/release.ts"
import type { Container } from "../../docker/stack.ts"
import type { Command } from "../../shell/command.ts"
import { readNote, removeNotes, writeNote } from "../note.ts"
import type { Tools } from "../tools.ts"

/** What a deployment notes of how it was before. */
export interface Before {
  readonly release: Pick<Release, "id" | "commit">
  /** The containers of services that get new copies beside them. */
  readonly old: readonly Container[]
  /** By service that is replaced in its place the image id of before; null for one that did not exist. */
  readonly inPlace: Readonly<Record<string, string | null>>
}

/** Shell text that writes down how it was before new copies are started. */
export function unfinishedNote(layout: Pick<Layout, "state">, { release, old, inPlace }: Before): Command {
  const { id, commit } = release
  return keepUnfinished(layout, { release: id, commit, old: old.map((one) => one.id), inPlace })
}

/** Shell text that writes down such a note again. */
export function keepUnfinished(layout: Pick<Layout, "state">, note: UnfinishedNote): Command {
  return writeNote(noteFile(layout), { format: 1, ...note })
}

/** Shell text that takes the note away: the deployment has ended, one way or the other. */
export function forgetUnfinished(layout: Pick<Layout, "state">): Command {
  return removeNotes(noteFile(layout))
}

const noteSchema = z.object({
  format: z.literal(1),
  release: z.string(),
  commit: z.string().default(""),
  /** Ids of the containers that there were before. */
  old: z.array(z.string()),
  /** By service that is replaced in its place the image id of before; null for one that did not exist. */
  inPlace: z.record(z.string(), z.string().nullable()).default({}),
})
export type UnfinishedNote = Omit<z.output<typeof noteSchema>, "format">

/** The note of a deployment that was interrupted; undefined when the last one ended. */
export async function readUnfinished(tools: Pick<Tools, "host" | "layout">): Promise<UnfinishedNote | undefined> {
  return readNote(tools, noteFile(tools.layout), noteSchema)
}

function noteFile({ state }: Pick<Layout, "state">): string {
  return `${state}/deploy.json`
}
