import { z } from "zod"
import { failure, refusal } from "../../core/errors.ts"
import type { Fingerprint } from "../../core/fingerprint.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { ReplacedData, Service } from "../driver.ts"
import { type DataSettings, readSettings } from "./data-settings.ts"
import { atDirectory } from "./data-work.ts"
import { productOf } from "./server-answer.ts"
import { askReadyServer } from "./wait-server.ts"

const noteSchema = z.object({
  run: z.string(),
  /** Name of the file that the server loaded; not of what failed. */
  file: z.string().optional(),
  /** Directory of the append-only files that it loaded; null when they were off. */
  append: z.string().nullable(),
  /** What it held; null when it did not serve. */
  atLeast: z.record(z.string(), z.number()).nullable(),
  /** Until when some of its keys with an expiry had to be there, as in a fingerprint. */
  lasting: z.record(z.string(), z.number()).optional(),
})
export type KeptNote = z.output<typeof noteSchema>

/** A set of files that a restore replaced, in a folder of the data directory. */
export interface KeptData {
  readonly folder: string
  /** A restore that failed had brought it: nothing was replaced by it that is to come back. */
  readonly failed: boolean
  readonly bytes: number
  /** ISO 8601, UTC; undefined when it does not say. */
  readonly at: string | undefined
  readonly note: KeptNote | undefined
}

/** Where a work of this id keeps what it replaces, in the data directory. */
export function keptFolder(id: string): string {
  return `.pre-restore-${id}`
}

/** What is written beside data that is moved aside. */
export function keptNote(settings: DataSettings, run: string, held: Fingerprint | undefined): string {
  const { file, append } = settings
  const { atLeast = null, lasting } = held ?? {}
  const note: KeptNote = { run, file, append: append?.directory ?? null, atLeast, lasting }
  return JSON.stringify(note)
}

/** What a server must hold that serves it again; undefined where that is not known. */
export function heldBefore(service: string, note: KeptNote | undefined): Fingerprint | undefined {
  if (!note?.atLeast) return undefined
  return { service, same: {}, atLeast: note.atLeast, ...(note.lasting && { lasting: note.lasting }) }
}

/** Where a server that serves keeps its data. */
export async function liveSettings(service: Service, container: Container): Promise<DataSettings> {
  const { product } = productOf(await askReadyServer(service, container))
  return readSettings(service, container, product)
}

/** What restores replaced, oldest first; what does not say when comes first of all. */
export async function readKept(
  service: Service,
  container: Container,
  settings: DataSettings,
): Promise<readonly KeptData[]> {
  const command = atDirectory({ container, settings }, "redis-kept", { effect: "read", args: [] })
  return parseKept((await service.host.run(command, { timeout: 120_000 })).stdout)
}

/** Reads the lines of `redis-kept.sh`. Throws when they are not whole. */
export function parseKept(text: string): readonly KeptData[] {
  const all = text.split("\n")
  if (!all.includes("end")) throw failure("host-answer", "the list of replaced data is not whole")
  return all
    .flatMap((line): readonly KeptData[] => {
      const [, size, folder, at, note] = /^(\d+) (\.(?:pre|failed)-restore-\S+) ?(\S*) ?(.*)$/.exec(line) ?? []
      if (size === undefined || folder === undefined) return []
      const known = Number.isFinite(Date.parse(at ?? "")) ? at : undefined
      const failed = folder.startsWith(".failed-")
      return [{ folder, failed, bytes: Number(size) * 1024, at: known, note: readNote(note ?? "") }]
    })
    .toSorted((a, b) => (a.at ?? "").localeCompare(b.at ?? ""))
}

/** The same, as the jobs know it. */
export async function replacedKeys(service: Service, container: Container): Promise<readonly ReplacedData[]> {
  const kept = await readKept(service, container, await liveSettings(service, container))
  return kept.map(({ folder, failed, bytes, at, note }) => ({
    name: folder,
    was: failed ? `keys that a failed restore brought into ${service.name}` : `keys of ${service.name}`,
    at,
    bytes,
    run: note?.run,
    ...(failed && { failed }),
  }))
}

/** Removes such sets of files. Refuses a name that is not, or not any more, of one. */
export async function removeKept(
  service: Service,
  container: Container,
  { names, work }: { readonly names: readonly string[]; readonly work: Work },
): Promise<void> {
  if (names.length === 0) return
  const settings = await liveSettings(service, container)
  const list = async () => (await readKept(service, container, settings)).map(({ folder }) => folder)
  const known = await list()
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw refusal("not-replaced", `"${unknown}" of ${service.name} is not data that a restore replaced`)
  const command = atDirectory({ container, settings }, "redis-forget", { effect: "change", args: names })
  await work.step(`remove-replaced-${service.name}`, command)
  const left = await work.check(`removed-replaced-${service.name}`, list, [])
  const there = names.filter((name) => left.includes(name))
  if (there.length > 0) throw failure("redis-clean-failed", `still there after removing: ${there.join(", ")}`)
}

/** Undefined when the text is not such a note. */
export function readNote(text: string): KeptNote | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // The mark of an older version says nothing.
  }
}
