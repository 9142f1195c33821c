import { fileNamePart } from "./backup-id.ts"

/** A backup that a run began: what it has written so far belongs to nobody until a manifest names it. */
export interface BegunBackup {
  readonly id: string
  /** `YYYY-MM-DD-HHMMSS`, part of its file names. */
  readonly stamp: string
  readonly services: readonly string[]
  /** When it began, ISO 8601 UTC. */
  readonly at: string
}

/** Folders of artifacts, in the backup directory and below the prefix in S3. */
const folders = ["postgres", "dragonfly"]

/** What the paths of all files of such a backup begin with: `postgres/postgres-2026-01-31-020000`. */
export function stemsOf({ stamp, services }: Pick<BegunBackup, "stamp" | "services">): readonly string[] {
  return folders.flatMap((folder) => services.map((service) => `${folder}/${fileNamePart(service)}-${stamp}`))
}

export interface LeftoverOptions {
  /** Backups that runs began which hold the lock no more. */
  readonly begun: readonly BegunBackup[]
  /** Paths that any manifest in any store names. */
  readonly named: ReadonlySet<string>
  /** Ids of the backups that have a manifest in any store. */
  readonly published: ReadonlySet<string>
  readonly now: Date
  /** Milliseconds since a backup began before what it left may go: a runner that was only stalled could still publish it. */
  readonly age: number
}

/**
 * Those of a store's files that are surely left of a backup that was killed: a run of ours wrote down that it would make
 * files of this name, it never published its backup, and no manifest names the file.
 */
export function leftovers(files: readonly string[], options: LeftoverOptions): readonly string[] {
  const dead = options.begun.filter((one) => isDead(one, options))
  const stems = dead.flatMap(stemsOf)
  return files.filter((file) => !options.named.has(file) && stems.some((stem) => isBelow(file, stem)))
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
    return own.has(whole) || manifests.includes(whole) || stems.some((stem) => isBelow(whole, stem))
  })
}

/** Notes of begun backups that say nothing any more, once all leftovers that may go are gone. */
export function settled(options: LeftoverOptions): readonly BegunBackup[] {
  return options.begun.filter((one) => options.published.has(one.id) || isDead(one, options))
}

function isDead({ id, at }: BegunBackup, { published, now, age }: LeftoverOptions): boolean {
  return !published.has(id) && now.getTime() - Date.parse(at) >= age
}

function isBelow(file: string, stem: string): boolean {
  return file.startsWith(stem) && /^[-.]/.test(file.slice(stem.length))
}
