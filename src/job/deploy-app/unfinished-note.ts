import { z } from "zod"
import type { Layout } from "../../core/layout.ts"
import type { Release } from "../../core/release.ts"
import type { Container } from "../../docker/stack.ts"
import type { Command } from "../../shell/command.ts"
import { forgetNote, readNote, writeNote } from "../read-note.ts"
import type { Tools } from "../tools.ts"

/** Shell text that writes down which containers there were before new copies are started. */
export function unfinishedNote(
  layout: Pick<Layout, "state">,
  { release, old }: { readonly release: Pick<Release, "id" | "commit">; readonly old: readonly Container[] },
): Command {
  const { id, commit } = release
  return writeNote(noteFile(layout), { format: 1, release: id, commit, old: old.map((one) => one.id) })
}

/** Shell text that takes the note away: the deployment has ended, one way or the other. */
export function forgetUnfinished(layout: Pick<Layout, "state">): Command {
  return forgetNote(noteFile(layout))
}

const noteSchema = z.object({
  format: z.literal(1),
  release: z.string(),
  commit: z.string().default(""),
  /** Ids of the containers that there were before. */
  old: z.array(z.string()),
})
export type UnfinishedNote = z.output<typeof noteSchema>

/** The note of a deployment that was interrupted; undefined when the last one ended. */
export async function readUnfinished(tools: Pick<Tools, "host" | "layout">): Promise<UnfinishedNote | undefined> {
  return readNote(tools, noteFile(tools.layout), noteSchema)
}

function noteFile({ state }: Pick<Layout, "state">): string {
  return `${state}/deploy.json`
}
