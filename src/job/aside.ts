import { posix } from "node:path"
import { z } from "zod"
import { failure, refusal } from "../core/errors.ts"
import type { Layout } from "../core/layout.ts"
import type { ReplacedData } from "../service/driver.ts"
import { type Command, change } from "../shell/command.ts"
import { readNotes, removeNotes, writeNote } from "./note.ts"
import { besideDirectory, setAside } from "./set-aside.ts"
import { containerOf, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

const noteSchema = z.object({
  format: z.literal(1),
  service: z.string(),
  /** Where the data was, and where it is kept: on the host, side by side. */
  directory: z.string(),
  aside: z.string(),
  /** Where what was filled in its place is kept, if that was given up. */
  failed: z.string(),
  /** By the host's clock, ISO 8601 UTC. */
  at: z.iso.datetime(),
})

/** A data directory that a run has set aside. The note stays: by it the directory is known to be ours. */
export type AsideNote = Omit<z.output<typeof noteSchema>, "format">

/** Shell text that notes a directory, durably, and then sets it aside. */
export function setAsideNoted(layout: Pick<Layout, "state">, imageId: string, note: AsideNote): Command {
  const { directory, aside } = note
  const noted = writeNote(noteFile(layout, note), { format: 1, ...note })
  return change`${noted} || exit\n${setAside({ imageId, directory, aside })}`
}

/** Directories of one service that were set aside and are still there, as data that was replaced. Notes that cannot be read are told. */
export async function asidesOf(tools: Tools, one: StackService): Promise<readonly ReplacedData[]> {
  const { notes, problems } = await readNotes(tools, folderOf(tools.layout), noteSchema)
  for (const problem of problems) tools.log.warning(problem)
  const found: ReplacedData[] = []
  for (const { service, directory, aside, failed, at } of notes) {
    if (service !== one.service.name || ![aside, failed].every((path) => isBeside(directory, path))) continue
    const names = [aside, failed].map((path) => posix.basename(path))
    const look = besideDirectory("aside-look", { imageId: containerOf(one).imageId, directory, names, effect: "read" })
    const lines = (await tools.host.run(look, { timeout: 600_000 })).stdout.trimEnd().split("\n")
    if (lines.pop() !== "end") throw failure("host-answer", `what lies beside ${directory} cannot be told`)
    for (const line of lines) {
      const [, size = "0", name = ""] = /^(\d+) (.*)$/.exec(line) ?? []
      const was = `${name === names[1] ? "what was given up of the" : "the"} data directory of ${service}`
      found.push({
        name: posix.join(posix.dirname(directory), name),
        was,
        at,
        run: undefined,
        bytes: Number(size) * 1024,
      })
    }
  }
  return found
}

/** Removes such directories for good. The caller has proven a later backup. */
export async function removeAsides(tools: Tools, one: StackService, paths: readonly string[]): Promise<void> {
  const { imageId } = containerOf(one)
  const known = await asidesOf(tools, one)
  for (const path of paths) {
    if (!known.some(({ name }) => name === path)) throw refusal("not-replaced", `${path} is not what was set aside`)
    const [user] = await tools.stack.mounting([path])
    if (user) throw refusal("data-in-use", `${user.name} runs on ${path}, which was set aside`)
    const names = [posix.basename(path)]
    const forget = besideDirectory("aside-forget", { imageId, directory: path, names, effect: "change" })
    await tools.work.step(`remove-aside-${one.service.name}`, forget, { timeout: 1_800_000 })
  }
}

/** Takes away the notes of directories that are not there any more. */
export async function forgetAsides(tools: Tools, one: StackService): Promise<void> {
  const { notes } = await readNotes(tools, folderOf(tools.layout), noteSchema)
  const left = (await asidesOf(tools, one)).map(({ name }) => name)
  const over = notes.filter(
    ({ service, aside, failed }) => service === one.service.name && !left.includes(aside) && !left.includes(failed),
  )
  const [first, ...more] = over.map((note) => noteFile(tools.layout, note))
  if (first !== undefined) await tools.work.step(`forget-aside-${one.service.name}`, removeNotes(first, ...more))
}

/** Only names that are made here: a note says where to look, not what may go. */
function isBeside(directory: string, path: string): boolean {
  return path.startsWith(directory) && /^\.(aside|failed)-backup-\d{8}-\d{6}-\d{6}$/.test(path.slice(directory.length))
}

function noteFile(layout: Pick<Layout, "state">, { service, aside }: Pick<AsideNote, "service" | "aside">): string {
  return `${folderOf(layout)}/${service}-${posix.basename(aside)}.json`
}

function folderOf({ state }: Pick<Layout, "state">): string {
  return `${state}/aside`
}
