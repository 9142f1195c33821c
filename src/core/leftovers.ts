import { backupStamp, backupTime, fileNamePart } from "./backup-id.ts"
import type { Manifest } from "./manifest.ts"

type StoreName = "local" | "s3"

/** A backup that a run began to make, or to remove: what of it lies in a store belongs to nobody while no manifest there names it. */
export interface BegunBackup {
  readonly id: string
  /** `YYYY-MM-DD-HHMMSS`, part of its file names. */
  readonly stamp: string
  readonly services: readonly string[]
  /** When it began, ISO 8601 UTC. */
  readonly at: string
  /** The store that it was to be removed from; absent of one that was to be made. */
  readonly from?: StoreName | undefined
  /** Of a dump that a way back may need: until the app runs again, and then for a day from `at`. */
  readonly kept?: "while-stopped" | "for-a-day" | undefined
  /** It came from S3, which alone has its manifest. */
  readonly coming?: boolean | undefined
}

/** What a note says of the backup of this manifest. */
export function begunOf({ id, created, services }: Manifest): Pick<BegunBackup, "id" | "stamp" | "services"> {
  const stamp = backupStamp(backupTime(id) ?? new Date(created))
  return { id, stamp, services: services.map(({ service }) => service) }
}

/** A day in milliseconds: for so long a runner that was only stalled could still publish what it has put into S3. */
export const safeAge = 86_400_000

/** Folders of artifacts, in the backup directory and below the prefix in S3. */
const folders = ["postgres", "dragonfly"]

/** What the paths of all files of such a backup begin with: `postgres/postgres-2026-01-31-020000`. */
export function stemsOf({ stamp, services }: Pick<BegunBackup, "stamp" | "services">): readonly string[] {
  return folders.flatMap((folder) => services.map((service) => `${folder}/${fileNamePart(service)}-${stamp}`))
}

/** What the manifests of one store name: ids of backups, and paths of files. */
export interface HeldByStore {
  readonly ids: ReadonlySet<string>
  readonly paths: ReadonlySet<string>
}

export interface LeftoverOptions {
  /** Notes of runs that hold the lock no more. */
  readonly begun: readonly BegunBackup[]
  /** Of every store that there is. */
  readonly held: ReadonlyMap<StoreName, HeldByStore>
  readonly now: Date
}

/**
 * Those whose files in a store may go: that store has no manifest of them, and they were to be removed from it, or were
 * not published in time. On the host that is at once, for the lock is ours; there S3's manifest alone is none. What S3 has
 * of a backup that the host has without it, the notes of its uploads tell.
 */
export function deadIn(store: StoreName, { begun, held, now }: LeftoverOptions): readonly BegunBackup[] {
  const has = (name: StoreName, id: string) => held.get(name)?.ids.has(id) ?? false
  return begun.filter(({ id, at, from }) => {
    if (has(store, id)) return false
    if (from !== undefined) return from === store
    return store === "local" || (!has("local", id) && isOld(at, now))
  })
}

/**
 * Those of a store's files that are surely left of a backup that was killed: a run of ours wrote down that it would make or
 * remove files of this name, its backup is dead there, and no manifest there names the file.
 */
export function leftovers(store: StoreName, files: readonly string[], options: LeftoverOptions): readonly string[] {
  const stems = deadIn(store, options).flatMap(stemsOf)
  const named = options.held.get(store)?.paths
  return files.filter((file) => !named?.has(file) && stems.some((stem) => isBelow(file, stem)))
}

/**
 * Half written files that are surely of a dead run of ours: what they would have become is a file of a backup that a run
 * of ours began, or one that our own manifests name, and so brought here from another store.
 */
export function halfWritten(
  files: readonly string[],
  { begun, own }: { readonly begun: readonly BegunBackup[]; readonly own: ReadonlySet<string> },
): readonly string[] {
  const stems = begun.flatMap(stemsOf)
  const manifests = begun.map(({ id }) => `metadata/${id}.json`)
  return files.filter((file) => {
    const [whole = ""] = file.split(/\.partial(?:\.|$)/)
    if (whole === file) return false
    // A copy that came encrypted belongs to the file that it was to become.
    return (
      own.has(whole.replace(/\.gpg$/, "")) || manifests.includes(whole) || stems.some((stem) => isBelow(whole, stem))
    )
  })
}

/** Notes that say nothing any more, once all leftovers that may go are gone. */
export function settled({ begun, held, now }: LeftoverOptions): readonly BegunBackup[] {
  const published = (id: string) => [...held.values()].some(({ ids }) => ids.has(id))
  return begun.filter(({ id, at, from }) => from !== undefined || published(id) || !held.has("s3") || isOld(at, now))
}

function isOld(at: string, now: Date): boolean {
  return now.getTime() - Date.parse(at) >= safeAge
}

function isBelow(file: string, stem: string): boolean {
  return file.startsWith(stem) && /^[-.]/.test(file.slice(stem.length))
}
