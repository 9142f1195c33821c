import { type DrillRecord, lastDrill } from "../core/drill-record.ts"
import { formatDuration } from "../core/duration.ts"
import { AppError } from "../core/errors.ts"
import type { Check } from "../core/health.ts"
import { isDatedAhead } from "../core/latest-backup.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { type KnownDrills, knownDrills } from "./known-drills.ts"
import { dataServices, names } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * One check a store: whether its newest proven backup of each data service is younger than `limit` (milliseconds). None is a
 * failure, and one whose last drill failed, or that has lost a file, is none; a store that cannot be listed is unknown; where S3 is not required, what is
 * wrong with it is a warning.
 */
export async function checkBackupAge(tools: Tools, limit: number): Promise<readonly Check[]> {
  const now = tools.clock.now().getTime()
  const optional = tools.config.backup.s3?.required === false
  const services = names(await dataServices(tools))
  const drills = await knownDrills(tools, tools.stores)
  return Promise.all(
    tools.stores.map(async (store): Promise<Check> => {
      const check = await checkStore(store, { now, limit, services, drills })
      return store.name === "s3" && optional && check.state !== "ok" ? { ...check, state: "warning" } : check
    }),
  )
}

async function checkStore(
  store: BackupStore,
  { drills, ...options }: Pick<AgeOptions, "now" | "limit" | "services"> & { readonly drills: KnownDrills },
): Promise<Check> {
  const name = `newest backup in ${store.name}`
  try {
    if (drills.untold.has(store.name)) return { name, state: "unknown", detail: drills.problems.join("; ") }
    const { backups, unreadable } = await store.list()
    const manifests = backups.map((one) => one.manifest)
    const lacking = await store.lacking(manifests)
    const seen = { store: store.name, unreadable, lacking, drills: drills.records }
    return { name, ...judgeAge(manifests, { ...options, ...seen }) }
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
  /** A young backup of some of these hides no old one of another. */
  readonly services: readonly string[]
  /** Newest first. */
  readonly drills?: readonly DrillRecord[]
  /** Those that have lost a file, which are none any more. */
  readonly lacking?: ReadonlyMap<string, unknown>
}

/** A backup from the future is no young one: a clock is wrong, and nothing is known. */
export function judgeAge(
  manifests: readonly Manifest[],
  { store, now, limit, unreadable, services, drills = [], lacking = new Map() }: AgeOptions,
): Omit<Check, "name"> {
  const ages = manifests
    .filter((one) => isProven(one, store, drills) && !lacking.has(one.id))
    .map((one) => ({
      id: one.id,
      ahead: isDatedAhead(one, new Date(now)),
      age: now - Date.parse(one.created),
      services: one.services.map((held) => held.service),
    }))
    .sort((a, b) => a.age - b.age)
  const failed = manifests.filter((one) => lastDrill(drills, { backup: one.id, source: store })?.result === "failed")
  const also = [
    ...(lacking.size > 0 ? [`; files are gone of ${[...lacking.keys()].join(", ")}`] : []),
    ...(unreadable.length > 0 ? [`; ${unreadable.length} manifests cannot be read`] : []),
    ...(failed.length > 0 ? [`; the last drill failed of ${failed.map(({ id }) => id).join(", ")}`] : []),
  ].join("")
  const [first] = ages
  if (!first) return { state: "failed", detail: `there is no proven backup${also}` }
  if (first.ahead) return { state: "unknown", detail: `${first.id} is from the future: a clock is wrong` }
  const newest = services.flatMap((service) => {
    const found = ages.find((one) => one.services.includes(service))
    return found ? [{ ...found, service }] : []
  })
  const missing = services.filter((service) => !newest.some((one) => one.service === service))
  if (missing.length > 0)
    return { state: "failed", detail: `there is no proven backup of ${missing.join(", ")}${also}` }
  const { id, age, service } = newest.reduce((a, b) => (b.age > a.age ? b : a), { ...first, service: "" })
  const which = id === first.id ? id : `${id}, the newest of ${service},`
  const detail = `${which} is ${formatDuration(Math.max(0, age))} old, the limit is ${formatDuration(limit)}${also}`
  if (age > limit) return { state: "failed", detail }
  return { state: unreadable.length > 0 ? "warning" : "ok", detail }
}
