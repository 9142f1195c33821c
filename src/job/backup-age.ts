import { formatDuration } from "../core/duration.ts"
import { AppError } from "../core/errors.ts"
import type { Check } from "../core/health.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import type { Tools } from "./tools.ts"

/**
 * One check a store: whether its newest proven backup is younger than `limit` (milliseconds). None at all is a failure,
 * a store that cannot be listed is unknown; where S3 is not required, what is wrong with it is a warning.
 */
export async function checkBackupAge(tools: Tools, limit: number): Promise<readonly Check[]> {
  const now = tools.clock.now().getTime()
  const optional = tools.config.backup.s3?.required === false
  return Promise.all(
    tools.stores.map(async (store): Promise<Check> => {
      const check = await checkStore(store, { now, limit })
      return store.name === "s3" && optional && check.state !== "ok" ? { ...check, state: "warning" } : check
    }),
  )
}

async function checkStore(
  store: BackupStore,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<Check> {
  const name = `newest backup in ${store.name}`
  try {
    const { backups, unreadable } = await store.list()
    return {
      name,
      ...judgeAge(
        backups.map((one) => one.manifest),
        { store: store.name, now, limit, unreadable },
      ),
    }
  } catch (error) {
    if (error instanceof AppError) return { name, state: "unknown", detail: error.message }
    throw error
  }
}

export interface AgeOptions {
  readonly store: BackupStore["name"]
  /** Milliseconds since 1970. */
  readonly now: number
  readonly limit: number
  /** Manifests that cannot be read: among them may be the newest. */
  readonly unreadable: readonly string[]
}

/** A backup from the future is no young one: a clock is wrong, and nothing is known. */
export function judgeAge(
  manifests: readonly Manifest[],
  { store, now, limit, unreadable }: AgeOptions,
): Omit<Check, "name"> {
  const ages = manifests
    .filter((one) => isProven(one, store))
    .map((one) => ({ id: one.id, age: now - Date.parse(one.created) }))
    .sort((a, b) => a.age - b.age)
  const [newest] = ages
  const also = unreadable.length > 0 ? `; ${unreadable.length} manifests cannot be read` : ""
  if (!newest) return { state: "failed", detail: `there is no proven backup${also}` }
  if (newest.age < -clockSkew) return { state: "unknown", detail: `${newest.id} is from the future: a clock is wrong` }
  const detail = `${newest.id} is ${formatDuration(Math.max(0, newest.age))} old, the limit is ${formatDuration(limit)}${also}`
  if (newest.age > limit) return { state: "failed", detail }
  return { state: unreadable.length > 0 ? "warning" : "ok", detail }
}

/** Milliseconds by which the clocks of two machines may differ. */
const clockSkew = 300_000
