import { type DrillRecord, lastDrill } from "./drill-record.ts"
import type { Manifest, ProofTier } from "./manifest.ts"
import { isProven, totals } from "./manifest-contents.ts"
import type { RetentionDecision } from "./retention.ts"

/** What one store says: its list, and what its retention policy decides about each backup in it. */
export interface StoreInventory {
  readonly store: "local" | "s3"
  readonly manifests: readonly Manifest[]
  readonly decisions: readonly RetentionDecision[]
  /** By backup, how the stored bytes differ from the manifest; nothing of those that nobody read and that lack no file. */
  readonly problems?: ReadonlyMap<string, readonly string[]>
}

/** The last time that a copy was restored to prove it. */
export interface CopyDrill {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly result: DrillRecord["result"]
  /** Empty when it succeeded. */
  readonly reason: string
  readonly rtoSeconds: number | null
  readonly rpoSeconds: number
}

/** One store's copy of a backup. */
export interface BackupCopy {
  readonly store: "local" | "s3"
  /**
   * `restored` when its last drill brought it back; else how its bytes were proven when it was made: `sha256` on the
   * host, a tier of S3; `unproven` when they were not, or when its last drill failed.
   */
  readonly proven: "restored" | "sha256" | ProofTier | "unproven"
  /** Absent when it was never tried. */
  readonly drill?: CopyDrill
  readonly keep: boolean
  /** Why it stays, or why the next retention removes it. */
  readonly reasons: readonly string[]
  /** ISO 8601, UTC: until when the store lets nobody remove it. */
  readonly lockedUntil?: string
  /** How its bytes differ from the manifest now; absent when they were not read and none is missing. */
  readonly problems?: readonly string[]
}

/**
 * How the two stores agree on a backup, by the SHA-256 of each file in each one's manifest; `damaged` where a store does not
 * hold what its manifest says, `single` where there is one store only, `unknown` where the other could not be listed.
 */
export type SyncState = "in-sync" | "damaged" | "local-only" | "s3-only" | "differs" | "single" | "unknown"

export interface BackupEntry {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** Milliseconds. */
  readonly age: number
  readonly bytes: number
  readonly services: readonly string[]
  readonly sync: SyncState
  readonly copies: readonly BackupCopy[]
}

export interface InventoryOptions {
  readonly now: Date
  /** Stores that are configured, listed or not. */
  readonly configured: readonly ("local" | "s3")[]
  /** Newest first; none unless told. */
  readonly drills?: readonly DrillRecord[]
}

/** Every backup that any store has, newest first, each once, with its copies side by side. */
export function backupInventory(
  stores: readonly StoreInventory[],
  { now, configured, drills = [] }: InventoryOptions,
): readonly BackupEntry[] {
  const ids = new Set(stores.flatMap(({ manifests }) => manifests.map(({ id }) => id)))
  const listed = configured.every((name) => stores.some(({ store }) => store === name))
  return [...ids]
    .flatMap((id) => {
      const held = stores.flatMap((from) => {
        const manifest = from.manifests.find((one) => one.id === id)
        return manifest ? [{ from, manifest }] : []
      })
      const [first] = held
      if (!first) return []
      const { created, services } = first.manifest
      return {
        id,
        created,
        age: now.getTime() - Date.parse(created),
        bytes: totals(services).bytes,
        services: services.map(({ service }) => service),
        sync: syncOf(held, configured.length, listed),
        copies: held.map(({ from, manifest }) =>
          copyOf(from, manifest, lastDrill(drills, { backup: id, source: from.store })),
        ),
      }
    })
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1))
}

/** Whether two manifests describe the same bytes: the same files with the same lengths and SHA-256. */
export function sameBytes(a: Pick<Manifest, "services">, b: Pick<Manifest, "services">): boolean {
  return filesOf(a) === filesOf(b)
}

interface Held {
  readonly from: StoreInventory
  readonly manifest: Manifest
}

function syncOf([first, second]: readonly Held[], configured: number, listed: boolean): SyncState {
  if (first && second && !sameBytes(first.manifest, second.manifest)) return "differs"
  if ([first, second].some((one) => one?.from.problems?.get(one.manifest.id)?.length)) return "damaged"
  if (first && second) return "in-sync"
  if (configured < 2) return "single"
  if (!listed) return "unknown"
  return first?.from.store === "s3" ? "s3-only" : "local-only"
}

function copyOf(
  { store, decisions, problems }: StoreInventory,
  manifest: Manifest,
  drill: DrillRecord | undefined,
): BackupCopy {
  const decision = decisions.find(({ id }) => id === manifest.id)
  const found = problems?.get(manifest.id)
  const { lockedUntil } = manifest.storage
  return {
    store,
    proven: drill?.result === "success" ? "restored" : provenBy(store, manifest, drill),
    ...(drill && { drill: summed(drill) }),
    keep: decision?.keep ?? true,
    reasons: decision?.reasons ?? [],
    ...(store === "s3" && lockedUntil !== undefined && { lockedUntil }),
    ...(found && { problems: found }),
  }
}

function summed({ started, result, reason, rtoSeconds, rpoSeconds }: DrillRecord): CopyDrill {
  return { at: started, result, reason, rtoSeconds, rpoSeconds }
}

function provenBy(
  store: "local" | "s3",
  manifest: Manifest,
  drill: DrillRecord | undefined,
): Exclude<BackupCopy["proven"], "restored"> {
  if (!isProven(manifest, store, drill && [drill])) return "unproven"
  return store === "local" ? "sha256" : (manifest.storage.tier ?? "unproven")
}

function filesOf({ services }: Pick<Manifest, "services">): string {
  const files = services.flatMap(({ artifacts }) =>
    artifacts.map((one) => [one.file, one.bytes, one.sha256].join("\0")),
  )
  return files.sort().join("\n")
}
