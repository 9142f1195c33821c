import { sameBytes } from "../core/backup-inventory.ts"
import { AppError, failure, inputError, messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import type { BackupStore, PutReport } from "../storage/backup-store.ts"
import type { Tools } from "./tools.ts"

export type BackupSource = "auto" | "local" | "s3"

/** A backup that was chosen, and the stores that have it, the nearest first. */
export interface FoundBackup {
  readonly manifest: Manifest
  readonly stores: readonly BackupStore[]
  /** Each store's own manifest, where it is not `manifest`: a copy that was repaired later is known by its own store only. */
  readonly manifests?: ReadonlyMap<BackupStore["name"], Manifest>
}

export function localStore(stores: readonly BackupStore[]): BackupStore {
  const local = stores.find((one) => one.name === "local")
  if (!local) throw failure("no-local-store", "the local backup store is missing")
  return local
}

export function remoteStore(stores: readonly BackupStore[]): BackupStore | undefined {
  return stores.find((one) => one.name === "s3")
}

/** The manifest of a backup of which S3 now has the artifacts. */
export function storedInS3(manifest: Manifest, { tier, objects, lockedUntil }: PutReport): Manifest {
  if (tier === "sha256") throw failure("bad-tier", "an S3 store cannot prove by a local checksum")
  const lock = lockedUntil === undefined ? {} : { lockedUntil }
  return { ...manifest, storage: { local: "success", s3: "success", tier, ...lock, objects } }
}

/**
 * The backup of this id, or the newest one for `latest`, from the lists of the stores asked for. Throws an input error
 * that lists what there is when the id is unknown. A store that cannot be listed is an error, unless another has it.
 */
export async function findBackup(tools: Tools, id: string, source: BackupSource): Promise<FoundBackup> {
  const asked = tools.stores.filter((one) => source === "auto" || one.name === source)
  if (asked.length === 0)
    throw inputError("no-such-store", `source: ${source}, but S3 is not configured`, {
      hint: "Add backup.s3 to infra.yml, or use source: local.",
    })
  const lists = await Promise.all(asked.map((store) => listed(store)))
  const known = lists
    .flatMap(({ store, manifests }) => manifests.map((manifest) => ({ store, manifest })))
    .sort((a, b) => b.manifest.created.localeCompare(a.manifest.created))
  const chosen = id === "latest" ? known[0]?.manifest.id : id
  const found = known.filter((one) => one.manifest.id === chosen)
  const [first] = found
  if (first) {
    const manifests = new Map(found.map((one) => [one.store.name, one.manifest]))
    return { manifest: first.manifest, stores: found.map((one) => one.store), manifests }
  }
  const failed = lists.find((one) => one.error !== undefined)
  if (failed) throw failed.error
  const ids = [...new Set(known.map((one) => one.manifest.id))]
  throw inputError("unknown-backup", `backup-id: there is no backup ${id}`, {
    hint: ids.length > 0 ? `There are: ${ids.slice(0, 10).join(", ")}; or use latest.` : "There is no backup at all.",
  })
}

/**
 * Makes sure that the backup's files lie on the host as the manifest says: the local ones if their checksums hold,
 * else fetched anew from each other store that has them, three times. Throws with every reason when none is whole.
 */
export async function bringLocal(
  tools: Tools,
  { manifest, stores, manifests }: FoundBackup,
): Promise<BackupStore["name"]> {
  const reasons: string[] = []
  for (const store of stores) {
    for (let attempt = 1; attempt <= (store.name === "local" ? 1 : 3); attempt++) {
      try {
        const own = manifests?.get(store.name) ?? manifest
        if (!sameBytes(own, manifest))
          throw failure("copies-differ", "its manifest names other bytes than the nearer copy's")
        await store.fetch(own, tools.work)
        return store.name
      } catch (error) {
        if (tools.signal.aborted) throw error
        reasons.push(`${store.name}: ${messageOf(error)}`)
        tools.log.warning(`The copy of ${manifest.id} in ${store.name} cannot be used: ${messageOf(error)}`)
        // What an input lacks, another try lacks as well.
        if (error instanceof AppError && error.kind === "input") break
      }
    }
  }
  throw failure("backup-unusable", `no whole copy of ${manifest.id}: ${reasons.join("; ")}`, {
    hint: "Restore another backup-id.",
  })
}

/** Takes back what was stored of a backup that is not going to be published. What stops it is told, and never hides `reason`. */
export async function discard(tools: Tools, backup: Pick<Manifest, "id" | "services">, reason: unknown): Promise<void> {
  if (tools.signal.aborted) return
  for (const store of tools.stores) {
    try {
      await store.discard(backup, tools.work)
    } catch (error) {
      tools.log.warning(`${messageOf(reason)}; unpublished files stay in ${store.name}: ${messageOf(error)}`)
    }
  }
}

async function listed(
  store: BackupStore,
): Promise<{ readonly store: BackupStore; readonly manifests: readonly Manifest[]; readonly error?: unknown }> {
  try {
    return { store, manifests: (await store.list()).backups.map((one) => one.manifest) }
  } catch (error) {
    return { store, manifests: [], error }
  }
}
