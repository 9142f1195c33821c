import { z } from "zod"
import type { Layout } from "../core/layout.ts"
import { serviceBackupSchema } from "../core/manifest.ts"
import { type Command, change } from "../shell/command.ts"
import { installedFile } from "./install-definition.ts"
import { readNote, removeNotes, writeNote } from "./note.ts"
import type { Tools } from "./tools.ts"

const restoringSchema = z.object({
  /** Ids of the works that took part, newest first: part of the names of what they made. */
  ids: z.array(z.string()).min(1),
  /** The services that it brings back. */
  services: z.array(z.string()),
  /** Those of them whose restored data was proven to serve. */
  done: z.array(z.string()),
  /** What was there before does not serve, or is nothing: there is only the way forward. */
  forward: z.boolean(),
  /** That live data may be dropped where the disk has no room for both. */
  inPlace: z
    .object({
      /** Also without a backup that holds it. */
      force: z.boolean(),
      /** By service whose live data this restore has begun to drop: the backup that holds it, null where none is known to. */
      dropped: z.record(z.string(), z.string().nullable()),
    })
    .optional(),
})

/** A restore under way: enough for another run to finish it, or to undo it. */
export type Restoring = z.output<typeof restoringSchema>

const undoingSchema = z.object({
  /** In this order: the name of what goes back as it is kept, the work that had replaced it, and the id that what makes room for it gets. */
  services: z
    .array(z.object({ service: z.string(), name: z.string(), run: z.string().optional(), id: z.string() }))
    .min(1),
  /** Those of them that serve it, proven. */
  done: z.array(z.string()),
  /** Whether the host waited for a restore before. */
  waited: z.boolean(),
  /** There is only the way forward: it takes an undo forth again that could not be finished. */
  forward: z.boolean(),
})

/** An undo of a restore under way: enough for another run to finish it, or to take it back. */
export type Undoing = z.output<typeof undoingSchema>

const noteSchema = z.object({
  format: z.literal(1),
  /** What has to come before the app may start: its services that run again, or a restore that ended well. */
  awaits: z.enum(["services", "restore"]),
  /** The backup that holds the data as it was before the stop: what a restore brings back, and retention keeps. */
  backup: z.string().optional(),
  /** While a restore is under way. */
  restoring: restoringSchema.optional(),
  /** While an undo of a restore is under way. */
  undoing: undoingSchema.optional(),
  /** Of an undo that only has the app to start: the sentence about what it did. Who asks for it again must not get the opposite. */
  undone: z.string().optional(),
  /** Once new containers are begun with, the way back: by service the image id of before, null for one that came with them. */
  previous: z.record(z.string(), z.string().nullable()).optional(),
  /** With it, by service: what stores of keys held when they were stopped, as their previous images read it. */
  dumps: z.record(z.string(), serviceBackupSchema).optional(),
  /** The data's fingerprints at the clean stop; none until the services were stopped, and none any more once they were compared. */
  fingerprints: z.array(
    z.object({
      service: z.string(),
      same: z.record(z.string(), z.string()),
      atLeast: z.record(z.string(), z.number()),
      lasting: z.record(z.string(), z.number()).optional(),
    }),
  ),
})

/** Why the app is stopped, by our own hand. It lies on the host from the stop to the start: who is killed in between leaves it to the next run. */
export type StoppedAppNote = Omit<z.output<typeof noteSchema>, "format">

/** Shell text that writes the note down. */
export function noteStoppedApp(layout: Pick<Layout, "state">, note: StoppedAppNote): Command {
  return writeNote(noteFile(layout), { format: 1, ...note })
}

/**
 * The same command, after it is noted that nobody compares the data with what it was any more: what this starts may write to
 * it.
 */
export function afterComparing(
  layout: Pick<Layout, "state">,
  note: StoppedAppNote | undefined,
  start: Command,
): Command {
  return note ? change`${noteStoppedApp(layout, { ...note, fingerprints: [] })} || exit\n${start}` : start
}

/** Shell text that takes the note away: the app runs again, and whatever definition is there has served. */
export function forgetStoppedApp(layout: Pick<Layout, "state">): Command {
  return removeNotes(noteFile(layout), installedFile(layout))
}

/** The note; undefined when we have not stopped the app. Throws when it cannot be read: nobody guesses about it. */
export async function readStoppedApp(tools: Pick<Tools, "host" | "layout">): Promise<StoppedAppNote | undefined> {
  return readNote(tools, noteFile(tools.layout), noteSchema)
}

function noteFile({ state }: Pick<Layout, "state">): string {
  return `${state}/app-stopped.json`
}
