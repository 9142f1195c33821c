import { z } from "zod"
import type { Layout } from "../core/layout.ts"
import type { Command } from "../shell/command.ts"
import { readNote, removeNotes, writeNote } from "./note.ts"
import type { Tools } from "./tools.ts"

const noteSchema = z.object({
  format: z.literal(1),
  service: z.string(),
  /** The image that served the old directory, by its id. */
  imageId: z.string(),
  /** By what it can be pulled again, `repository@sha256:...`; absent where no registry is known to have it. */
  image: z.string().optional(),
  directory: z.string(),
  /** Where the old directory is kept while the new one is filled, and afterwards. */
  aside: z.string(),
  /** Where the new one goes when the upgrade fails. */
  failed: z.string(),
})

/** How to go back from a major upgrade that has begun: it lies on the host until the new server is proven to hold everything. */
export type UpgradeNote = z.output<typeof noteSchema>

/** Shell text that writes the notes down, durably, before anything of theirs is touched. */
export function writeUpgrades(layout: Pick<Layout, "state">, notes: readonly UpgradeNote[]): Command {
  return writeNote(noteFile(layout), notes)
}

/** Shell text that ends them: forward, or back. */
export function forgetUpgrades(layout: Pick<Layout, "state">): Command {
  return removeNotes(noteFile(layout))
}

/** The upgrades that have begun and not ended; none as a rule. */
export async function readUpgrades(tools: Pick<Tools, "host" | "layout">): Promise<readonly UpgradeNote[]> {
  return (await readNote(tools, noteFile(tools.layout), z.array(noteSchema))) ?? []
}

function noteFile({ state }: Pick<Layout, "state">): string {
  return `${state}/upgrade.json`
}
