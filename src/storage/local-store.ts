import { drillFile, drillTail, printDrillRecord, readDrillRecords } from "../core/drill-record.ts"
import { failure } from "../core/errors.ts"
import type { Artifact, Manifest } from "../core/manifest.ts"
import { artifactsOf, totals } from "../core/manifest-contents.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import { remoteScript } from "../remote/scripts.ts"
import { change, script, sh } from "../shell/command.ts"
import { type BackupStore, drillsRead } from "./backup-store.ts"
import {
  artifactFiles,
  manifestFile,
  manifestFolder,
  type NamedText,
  namedBy,
  namedText,
  printManifest,
  sortManifests,
} from "./manifest-file.ts"
import { assertWhole, wrongFiles } from "./stored-files.ts"

export interface LocalStoreOptions {
  readonly host: Host
  /** The directory of backups on the host. */
  readonly directory: string
  readonly project: string
  readonly environment: string
}

/** Backups on the host itself: the drivers write the artifacts there, so that `putArtifacts` only proves them. */
export function localStore(options: LocalStoreOptions): BackupStore {
  const { host, directory } = options
  const verify = async (manifest: Pick<Manifest, "id" | "services">) => {
    artifactFiles(manifest) // Throws for one that lies elsewhere.
    return wrongFiles(host, directory, artifactsOf(manifest))
  }
  return {
    name: "local",
    verify,
    probe: () => probe(options),
    list: () => list(options),
    async prepare(work) {
      await cleanPartials(directory, work)
    },
    async discard(manifest, work) {
      const args = [directory, manifestFile(manifest.id), ...artifactFiles(manifest)]
      await work.step("discard-local", script("change", remoteScript("store-discard"), args))
    },
    async putArtifacts(manifest, work) {
      assertWhole(manifest.id, await work.check("verify-local", () => verify(manifest), []))
      return { bytes: totals(manifest.services).bytes, tier: "sha256", objects: [] }
    },
    async putManifest(manifest, work) {
      const text = printManifest(manifest)
      const args = [directory, manifestFile(manifest.id), Buffer.byteLength(text)]
      await work.step("publish-manifest-local", script("change", remoteScript("store-write"), args), { input: text })
    },
    async fetch(manifest, work) {
      assertWhole(manifest.id, await work.check("verify-local", () => verify(manifest), []))
    },
    lacking: (manifests) => lacking(options, manifests),
    named: async () => namedBy(await texts(options, ["backup"])),
    async below(stems) {
      const { stdout } = await host.run(script("read", remoteScript("store-below"), [directory, ...stems]))
      return stdout.split("\n").filter((line) => line !== "")
    },
    async removeStrays(files, work) {
      await work.step("clean-leftovers", change`cd ${directory} && rm -f ${files}`)
      return new Map()
    },
    async remove(manifest, work) {
      const args = [directory, manifestFile(manifest.id), ...artifactFiles(manifest)]
      await work.step(`remove-local-${manifest.id}`, script("change", remoteScript("store-remove"), args))
    },
    async recordDrill(record, work) {
      const text = printDrillRecord(record)
      const args = [directory, drillFile(record), Buffer.byteLength(text)]
      await work.step("record-drill", script("change", remoteScript("store-write"), args), { input: text })
    },
    drills: async () => readDrillRecords(await texts(options, ["drill", drillsRead, drillTail(options)]), options),
  }
}

/**
 * Makes the folders and removes half written files of runs that died, so that they do not take the room of the next
 * backup. Only under the lock, and only when no work of an earlier run is still alive.
 */
export async function cleanPartials(directory: string, work: Work): Promise<readonly string[]> {
  const { stdout } = await work.step("clean-partials", script("change", remoteScript("store-clean"), [directory]))
  return stdout.split("\n").filter((line) => line !== "")
}

async function probe({ host, directory }: LocalStoreOptions): Promise<void> {
  const { code } = await host.run(
    sh`d=${directory}; while [ ! -e "$d" ] && [ "$d" != / ]; do d=$(dirname "$d"); done; [ -d "$d" ] && [ -w "$d" ] && [ -x "$d" ]`,
    { allow: [0, 1] },
  )
  if (code === 0) return
  throw failure("backup-directory", `${host.name} cannot write into the backup directory ${directory}`, {
    hint: "Make it, or the directory above it, writable for the user in `host.user`, or set `backup.directory`.",
  })
}

async function list(options: LocalStoreOptions): ReturnType<BackupStore["list"]> {
  const { manifests, unreadable } = sortManifests(await texts(options, ["backup"]), options)
  return { backups: manifests.map((manifest) => ({ manifest, store: "local" })), unreadable }
}

/**
 * As `list`, the newest ones, at least `wanted` where there are as many; without those that cannot be read. Those of others who
 * share the directory are read along, so that more are read where too few of the newest are this environment's.
 */
export async function newestManifests(options: LocalStoreOptions, wanted: number): Promise<readonly Manifest[]> {
  for (let read = wanted; ; read *= 8) {
    const found = await texts(options, ["backup", read, ".json"])
    const { manifests } = sortManifests(found, options)
    if (manifests.length >= wanted || found.length < read) return manifests
  }
}

async function lacking(
  { host, directory }: LocalStoreOptions,
  manifests: readonly Manifest[],
): ReturnType<BackupStore["lacking"]> {
  const files = manifests.flatMap((one) => artifactsOf(one).map(({ file }) => file))
  if (files.length === 0) return new Map()
  const { stdout } = await host.run(script("read", remoteScript("store-sizes"), [directory, ...files]))
  const sizes = new Map([...stdout.matchAll(/^(\d+) (.+)$/gm)].map(([, bytes, file = ""]) => [file, Number(bytes)]))
  const problems = manifests.map(
    (one) => [one.id, artifactsOf(one).flatMap((file) => wrongLength(file, sizes))] as const,
  )
  return new Map(problems.filter(([, found]) => found.length > 0))
}

function wrongLength({ file, bytes }: Artifact, sizes: ReadonlyMap<string, number>): readonly string[] {
  const found = sizes.get(file)
  if (found === undefined) return [`${file} is missing`]
  return found === bytes ? [] : [`${file} has ${found} bytes instead of ${bytes}`]
}

/** The small files beside the manifests whose names begin with a word; all, or by name the newest so many that end in a text. */
async function texts(
  { host, directory }: LocalStoreOptions,
  which: readonly [word: string] | readonly [word: string, newest: number, tail: string],
) {
  const command = script("read", remoteScript("store-list"), [`${directory}/${manifestFolder}`, ...which])
  const { stdout } = await host.run(command, { timeout: 120_000 })
  return parseList(stdout)
}

/** Reads the output of `store-list.sh`. Throws when its last line is missing: then the list is not whole. */
export function parseList(text: string): readonly NamedText[] {
  const lines = text.split("\n")
  if (lines.pop() !== "" || lines.pop() !== "end") throw cutList()
  return lines.map((line) => {
    const [, name, bytes, content] = /^(\S+) (-1|\d+) (\S*)$/.exec(line) ?? []
    if (name === undefined || content === undefined) throw cutList()
    return namedText(Buffer.from(name, "base64").toString(), Buffer.from(content, "base64"), Number(bytes))
  })
}

function cutList(): Error {
  return failure("list-cut", "the list of local backups is not whole")
}
