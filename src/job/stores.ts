import { sameBytes } from "../core/backup-inventory.ts"
import { AppError, failure, inputError, messageOf, refusal } from "../core/errors.ts"
import { isDatedAhead, latestBackup } from "../core/latest-backup.ts"
import type { Manifest } from "../core/manifest.ts"
import { type Copy, provenCopies } from "../core/proven-copies.ts"
import { mayStillAct } from "../host/work.ts"
import type { BackupStore, PutReport } from "../storage/backup-store.ts"
import { hostNow } from "./host-now.ts"
import { knownDrills } from "./known-drills.ts"
import { dataServices, names } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

export type BackupSource = "auto" | "local" | "s3"

/** A backup that was chosen, and the stores that have it, in the order in which they are tried: the nearest first. */
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

export interface FindOptions {
  /** What `latest` has to hold: these services, or every data service of the stack; anything unless told. */
  readonly services?: readonly string[] | "all" | undefined
  /** Whether `latest` may be one whose last drill failed: only another drill wants that. */
  readonly drillFailed?: boolean
}

/**
 * The backup of this id, or for `latest` the newest proven one, from the lists of the stores asked for; of that one a copy
 * that a drill has disproved comes last. Throws an input error that lists what there is when the id is unknown, and a refusal
 * when `latest` cannot be known: a store that may have a newer one cannot be listed, no single backup holds the services, or
 * it is dated in the future. For an id a store that cannot be listed is an error, unless another has it.
 */
export async function findBackup(
  tools: Tools,
  id: string,
  source: BackupSource,
  options: FindOptions = {},
): Promise<FoundBackup> {
  const lists = await Promise.all(storesOf(tools, source).map((store) => listed(store)))
  const { chosen, proven } = id === "latest" ? await chooseLatest(tools, lists, options) : { chosen: id }
  const copies = copiesIn(lists).filter(({ manifest }) => manifest.id === chosen)
  // A copy that a drill has disproved is the last resort.
  const isDoubted = ({ manifest }: StoreCopy) => proven?.has(manifest) === false
  const found = copies.toSorted((a, b) => Number(isDoubted(a)) - Number(isDoubted(b)))
  const [first] = found
  if (!first) throw notFound(id, lists)
  const manifests = new Map(found.map((one) => [one.store.name, one.manifest]))
  return { manifest: first.manifest, stores: found.map((one) => one.store), manifests }
}

/** The stores that a source means. Throws an input error when there is none. */
export function storesOf({ stores }: Pick<Tools, "stores">, source: BackupSource): readonly BackupStore[] {
  const asked = stores.filter((one) => source === "auto" || one.name === source)
  if (asked.length > 0) return asked
  throw inputError("no-such-store", `source: ${source}, but S3 is not configured`, {
    hint: "Add backup.s3 to infra.yml, or use source: local.",
  })
}

interface Latest {
  readonly chosen: string | undefined
  /** The copies that vouch for a backup: those of the chosen one are restored first. */
  readonly proven?: ReadonlySet<Manifest>
}

interface StoreCopy extends Copy {
  readonly store: BackupStore
}

function copiesIn(lists: readonly StoreList[]): readonly StoreCopy[] {
  return lists.flatMap(({ store, manifests }) => manifests.map((manifest) => ({ store, manifest, from: store.name })))
}

/** Says what speaks against taking it for the latest, and refuses where that is not to be known. */
async function chooseLatest(
  tools: Tools,
  lists: readonly StoreList[],
  { services, drillFailed = false }: FindOptions,
): Promise<Latest> {
  const published = provenCopies(copiesIn(lists), []).map(({ manifest }) => manifest)
  if (published.length === 0) return { chosen: undefined }
  const failed = lists.find(({ error }) => error !== undefined)
  if (failed) throw unknownLatest(failed, lists)
  const proven = drillFailed ? published : await withoutFailedDrills(tools, lists)
  if (proven.length === 0)
    throw refusal("no-latest", "backup-id: latest, but the last drill of every backup failed", {
      hint: "`backups` says why each failed. To restore one all the same, give its id.",
    })
  const wanted = services === "all" ? names(await dataServices(tools)) : services
  const { id, partial, unheld } = latestBackup(proven, wanted)
  const some = partial.slice(0, 5).map((one) => `${one.id} (${one.services.map(({ service }) => service).join(", ")})`)
  if (id === undefined)
    throw refusal("no-latest", `backup-id: latest, but no backup holds all of ${wanted?.join(", ")}`, {
      hint: `Give the id of one, or name services that one holds${some.length > 0 ? `: ${some.join("; ")}` : ""}.`,
    })
  const chosen = proven.find((one) => one.id === id)
  if (chosen && isDatedAhead(chosen, await hostNow(tools)))
    throw refusal("latest-unknown", `backup-id: latest, but ${id} is dated in the future: a clock is wrong, or was`, {
      hint: "Give the id of a backup: `backups` lists them.",
    })
  for (const newer of new Set(
    published.map((one) => one.id).filter((one) => one > id && !proven.some((other) => other.id === one)),
  ))
    tools.log.warning(`${newer} is newer, but its last drill failed: it is not taken for the latest`)
  if (unheld.length > 0) tools.log.warning(`No backup holds ${unheld.join(", ")}`)
  if (some.length > 0)
    tools.log.warning(
      `${id} is the newest backup that holds all; newer ones hold some services only: ${some.join("; ")}`,
    )
  for (const { store, unreadable } of lists)
    for (const line of unreadable)
      if ((/backup-\d{8}-\d{6}/.exec(line)?.[0] ?? "z") > id)
        tools.log.warning(`${store.name}: ${line} is no readable manifest; it may be of a newer backup than ${id}`)
  return { chosen: id, proven: new Set(proven) }
}

async function withoutFailedDrills(tools: Tools, lists: readonly StoreList[]): Promise<readonly Manifest[]> {
  const stores = lists.map(({ store }) => store)
  const { records, problems } = await knownDrills(tools, stores)
  for (const problem of problems) tools.log.warning(problem)
  return provenCopies(copiesIn(lists), records).map(({ manifest }) => manifest)
}

function unknownLatest({ store, error }: StoreList, lists: readonly StoreList[]): Error {
  const other = lists.find((one) => one.error === undefined)?.store.name
  return refusal(
    "latest-unknown",
    `backup-id: latest, but ${store.name} may have a newer backup and cannot be listed: ${messageOf(error)}`,
    { hint: `Give the id of a backup, or source: ${other} to take the newest one there.`, cause: error },
  )
}

function notFound(id: string, lists: readonly StoreList[]): unknown {
  const failed = lists.find(({ error }) => error !== undefined)
  if (failed) return failed.error
  const [line] = lists.flatMap(({ unreadable }) => unreadable.filter((one) => id === "latest" || one.includes(id)))
  if (line !== undefined)
    return failure("manifest-unreadable", `backup-id: ${id}, but a manifest cannot be read: ${line}`)
  const ids = [...new Set(lists.flatMap(({ manifests }) => manifests.map((one) => one.id)))].sort().reverse()
  return inputError("unknown-backup", `backup-id: there is no backup ${id}`, {
    hint: ids.length > 0 ? `There are: ${ids.slice(0, 10).join(", ")}; or use latest.` : "There is no backup at all.",
  })
}

/**
 * Makes sure that the backup's files lie on the host as the manifest says: the local ones if their checksums hold,
 * else fetched anew from each other store that has them, three times. Throws with every reason when none is whole, and at
 * once what only says that the host or the lock is lost.
 */
export async function bringLocal(
  tools: Tools,
  { manifest, stores, manifests }: FoundBackup,
): Promise<BackupStore["name"]> {
  const reasons: string[] = []
  let lacking: AppError | undefined
  for (const store of stores) {
    for (let attempt = 1; attempt <= (store.name === "local" ? 1 : 3); attempt++) {
      try {
        const own = manifests?.get(store.name) ?? manifest
        if (!sameBytes(own, manifest))
          throw failure("copies-differ", "its manifest names other bytes than the nearer copy's")
        await store.fetch(own, tools.work)
        return store.name
      } catch (error) {
        if (tools.signal.aborted || isUntold(error)) throw error
        reasons.push(`${store.name}: ${messageOf(error)}`)
        tools.log.warning(`The copy of ${manifest.id} in ${store.name} cannot be used: ${messageOf(error)}`)
        // What an input lacks, another try lacks as well; what took too long takes as long again.
        if (error instanceof AppError && (error.kind === "input" || isTimeout(error))) {
          lacking = isTimeout(error) ? slow(error) : error
          break
        }
      }
    }
  }
  // A copy that nobody could look at may be whole.
  if (lacking)
    throw new AppError(lacking.kind, lacking.code, `${manifest.id} is not restored: ${reasons.join("; ")}`, {
      ...(lacking.hint !== undefined && { hint: lacking.hint }),
      cause: lacking,
    })
  throw failure("backup-unusable", `no whole copy of ${manifest.id}: ${reasons.join("; ")}`, {
    hint: "Restore another backup-id, or by `services` those of this one whose files are whole.",
  })
}

/** The host is gone, the step, or the lock: that says nothing about the copy, and no other can be fetched either. */
function isUntold(error: unknown): boolean {
  return !mayStillAct(error) && !isTimeout(error)
}

function isTimeout(error: unknown): boolean {
  return error instanceof AppError && (error.code === "step-timeout" || error.code === "host-timeout")
}

function slow(cause: AppError): AppError {
  return new AppError(cause.kind, cause.code, cause.message, {
    hint: "Nothing is known against the backup: run this again when the host, or S3, is less busy.",
    cause,
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

interface StoreList {
  readonly store: BackupStore
  readonly manifests: readonly Manifest[]
  readonly unreadable: readonly string[]
  /** Why it could not be listed. */
  readonly error?: unknown
}

async function listed(store: BackupStore): Promise<StoreList> {
  try {
    const { backups, unreadable } = await store.list()
    return { store, manifests: backups.map((one) => one.manifest), unreadable }
  } catch (error) {
    return { store, manifests: [], unreadable: [], error }
  }
}
