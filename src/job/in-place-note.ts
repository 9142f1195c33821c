import { z } from "zod"
import type { Layout } from "../core/layout.ts"
import { readNote, writeNote } from "./note.ts"
import { readRestoring } from "./restore-note.ts"
import type { Tools } from "./tools.ts"

const replacedSchema = z.object({
  /** The work that did it: what it replaced in other services belongs to it. */
  run: z.string(),
  at: z.iso.datetime(),
  /** The backup that holds what was dropped; null where whoever asked for it renounced one. */
  held: z.string().nullable(),
})
const noteSchema = z.object({ format: z.literal(1), services: z.record(z.string(), replacedSchema) })

/** The last restore in place of a service, which dropped its live data: nothing on the server tells of it. */
export type ReplacedInPlace = z.output<typeof replacedSchema>

/** Milliseconds for which the backup of what was dropped stays, whatever retention says: as long as `clean` leaves replaced data. */
export const heldFor = 14 * 86_400_000

/** Writes down, durably, what the restore under way has dropped, before it ends: well, or with the app left stopped. */
export async function noteReplacedInPlace(tools: Tools): Promise<void> {
  const dropped = Object.entries((await readRestoring(tools))?.restoring.inPlace?.dropped ?? {})
  if (dropped.length === 0) return
  const now = { run: tools.work.id, at: tools.clock.now().toISOString() }
  const services = {
    ...(await readReplacedInPlace(tools)),
    ...Object.fromEntries(dropped.map(([service, held]) => [service, { ...now, held }])),
  }
  await tools.work.step("note-replaced", writeNote(noteFile(tools.layout), { format: 1, services }))
}

/** By service its last restore in place. */
export async function readReplacedInPlace(
  tools: Pick<Tools, "host" | "layout">,
): Promise<Readonly<Record<string, ReplacedInPlace>>> {
  return (await readNote(tools, noteFile(tools.layout), noteSchema))?.services ?? {}
}

function noteFile({ state }: Pick<Layout, "state">): string {
  return `${state}/replaced-in-place.json`
}
