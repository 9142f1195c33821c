import { failure, messageOf } from "../core/errors.ts"
import { remoteScript } from "../remote/scripts.ts"
import type { ReplacedData } from "../service/driver.ts"
import { script } from "../shell/command.ts"
import { artifactFiles } from "../storage/manifest-file.ts"
import { asidesOf } from "./aside.ts"
import { hostNow } from "./host-now.ts"
import { dataServices, type StackService } from "./stack-services.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/** What goes with a thing: `restore --mode clean`, the next backup, or nobody of ours, for it is not surely ours. */
export type Removal = "clean" | "next-backup" | "by-hand"

/** Something that lies on the host beside the data and the backups. */
export interface LeftItem {
  /** The name it has: of a database, of a folder in the server's data directory, or a path. */
  readonly name: string
  /** One phrase. */
  readonly what: string
  /** Undefined of what belongs to no service. */
  readonly service: string | undefined
  readonly bytes: number
  /** Milliseconds by the host's clock; undefined when it does not say. */
  readonly age: number | undefined
  readonly removal: Removal
}

export interface LeftOnHost {
  readonly items: readonly LeftItem[]
  /** One sentence for each place that could not be looked at. */
  readonly unknown: readonly string[]
}

/**
 * All that restores, upgrades and transfers put aside and kept on the host: replaced databases and keys, data directories,
 * damaged and half written files. Looks only. A place that cannot be looked at is told, never taken for empty (S7).
 */
export async function leftOnHost(tools: Tools): Promise<LeftOnHost> {
  const items: LeftItem[] = []
  const unknown: string[] = []
  const look = async (where: string, found: () => Promise<readonly LeftItem[]>) => {
    try {
      items.push(...(await found()))
    } catch (error) {
      if (tools.signal.aborted) throw error
      unknown.push(`${where} could not be looked at: ${messageOf(error)}`)
    }
  }
  await look(tools.layout.backups, async () => {
    const files = await strayFiles(tools)
    const ours = files.some(({ state }) => state === "damaged") ? await artifactsHere(tools) : new Set<string>()
    return files.map((file) => asItem(file, ours))
  })
  await look("the data services", async () => {
    const now = await hostNow(tools)
    for (const one of await dataServices(tools)) {
      const { name } = one.service
      const kept = (all: readonly ReplacedData[]) => all.map((data) => keptItem(name, data, now))
      await look(`what restores replaced in ${name}`, async () => kept(await replacedIn(one)))
      await look(`what lies beside the data of ${name}`, async () =>
        one.container ? kept(await asidesOf(tools, one)) : [],
      )
    }
    return []
  })
  return { items, unknown }
}

async function replacedIn({ container, driver, service }: StackService): Promise<readonly ReplacedData[]> {
  if (!driver.replaced) return []
  if (container?.state !== "running") throw failure("not-running", `${service.name} does not run`)
  return driver.replaced(service, container)
}

function keptItem(service: string, { name, was, at, bytes }: ReplacedData, now: Date): LeftItem {
  const age = at === undefined ? undefined : now.getTime() - Date.parse(at)
  return { name, what: was, service, bytes, age, removal: at === undefined ? "by-hand" : "clean" }
}

/** A file in the backup directory that belongs to no backup. */
export interface StrayFile {
  /** Relative to the backup directory. */
  readonly path: string
  /** The file that it was, or was to become. */
  readonly of: string
  readonly state: "damaged" | "partial"
  readonly bytes: number
  /** Milliseconds since it was put aside, or last written to, by the host's clock. */
  readonly age: number
}

/** Damaged files that a good copy took the place of, and half written ones. */
export async function strayFiles({ host, layout }: Pick<Tools, "host" | "layout">): Promise<readonly StrayFile[]> {
  const { stdout } = await host.run(script("read", remoteScript("store-left"), [layout.backups]))
  const lines = stdout.trimEnd().split("\n")
  const now = Number(/^now (\d+)$/.exec(lines.pop() ?? "")?.[1])
  if (!Number.isFinite(now)) throw failure("list-cut", `the list of files in ${layout.backups} is not whole`)
  return lines.map((line) => {
    const [size, changed, name = ""] = line.split(" ")
    const path = Buffer.from(name, "base64").toString()
    const [, damaged, at] = /^(.+)\.damaged\.(\d{9,11})$/s.exec(path) ?? []
    const since = at === undefined ? Number(changed) : Number(at)
    const of = damaged ?? path.replace(/\.partial(\..*)?$/s, "")
    const state = damaged === undefined ? "partial" : "damaged"
    return { path, of, state, bytes: Number(size), age: (now - since) * 1000 } as const
  })
}

async function artifactsHere({ stores }: Tools): Promise<ReadonlySet<string>> {
  const { backups } = await localStore(stores).list()
  return new Set(backups.flatMap(({ manifest }) => artifactFiles(manifest)))
}

function asItem({ path, of, state, bytes, age }: StrayFile, ours: ReadonlySet<string>): LeftItem {
  const file = { name: path, service: undefined, bytes, age }
  if (state === "partial") return { ...file, what: `a beginning of ${of}`, removal: "next-backup" }
  return { ...file, what: `a damaged copy of ${of}`, removal: ours.has(of) ? "clean" : "by-hand" }
}
