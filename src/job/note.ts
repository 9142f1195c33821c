import { posix } from "node:path"
import type { z } from "zod"
import { failure, messageOf } from "../core/errors.ts"
import { type Command, change, sh } from "../shell/command.ts"
import type { Tools } from "./tools.ts"

/**
 * Shell text that puts a note for later runs on the host, in the place of an earlier one; it ends well only when the note
 * is whole and on disk, and leaves the earlier one otherwise. Nobody else may read it.
 */
export function writeNote(file: string, note: unknown): Command {
  return writeText(file, JSON.stringify(note))
}

/** The same for a file of ours that a program of the same user reads. */
export function writeText(file: string, text: string): Command {
  const folder = posix.dirname(file)
  const next = `${file}.t`
  return change`( umask 077 && mkdir -p ${folder} && printf '%s\\n' ${text} >${next} && sync ${next} && mv -f ${next} ${file} && sync ${folder} )`
}

/** Shell text that takes notes of one folder away, so that they do not come back after a crash of the host. */
export function removeNotes(first: string, ...more: readonly string[]): Command {
  const folder = posix.dirname(first)
  return change`{ rm -f ${[first, ...more]} && if [ -d ${folder} ]; then sync ${folder}; fi; }`
}

/**
 * A note that a run left on the host, as its schema has it; undefined only where there is none. Throws `note-unreadable`
 * when there is one that says nothing, or not all: nobody guesses about it (S7).
 */
export async function readNote<T>(
  { host }: Pick<Tools, "host">,
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const { stdout } = await host.run(sh`if [ -e ${file} ]; then echo there && cat ${file}; else echo none; fi`)
  const [state, ...rest] = stdout.split("\n")
  if (state === "none") return undefined
  return parseNote(state === "there" ? rest.join("\n") : "", file, schema)
}

export interface Notes<T> {
  readonly notes: readonly T[]
  /** One sentence for each that cannot be read. */
  readonly problems: readonly string[]
}

/** All notes of a folder. One that cannot be read is told, and hides none of the others. */
export async function readNotes<T>(
  { host }: Pick<Tools, "host">,
  folder: string,
  schema: z.ZodType<T>,
): Promise<Notes<T>> {
  const { stdout } = await host.run(
    sh`for one in ${folder}/*.json; do if [ -e "$one" ]; then printf '%s\t' "$one" && tr -d '\n' <"$one" && echo || exit; fi; done; echo end`,
  )
  const lines = stdout.trimEnd().split("\n")
  if (lines.pop() !== "end") throw failure("host-answer", `the list of notes in ${folder} is not whole`)
  const notes: T[] = []
  const problems: string[] = []
  for (const line of lines) {
    const at = line.indexOf("\t")
    try {
      notes.push(parseNote(line.slice(at + 1), line.slice(0, at), schema))
    } catch (error) {
      problems.push(messageOf(error))
    }
  }
  return { notes, problems }
}

function parseNote<T>(text: string, file: string, schema: z.ZodType<T>): T {
  if (text.trim() === "") throw unreadable(file, "it is empty")
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreadable(file, messageOf(error))
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unreadable(file, `${issue?.path.join(".") || "it"}: ${issue?.message}`)
}

function unreadable(file: string, why: string): Error {
  return failure("note-unreadable", `${file}, which an earlier run left, cannot be read: ${why}`, {
    hint: "It says what that run had begun. Look at what is stopped or half done on the host, put that right by hand, then remove the file.",
  })
}
