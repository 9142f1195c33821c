import type { RetentionPolicy } from "./config.ts"
import { isDatedAhead } from "./latest-backup.ts"

/** A backup as one store lists it. Each store is decided by itself, from its own list. */
export interface RetentionItem {
  readonly id: string
  /** `created` of its manifest, ISO 8601 UTC; never a file's time. */
  readonly created: string
  /** What it has data of: services, and each database of a Postgres server as one of its own (see `heldBy`). */
  readonly holds: readonly string[]
  /** Whether the manifest is proof of a good backup in this store. */
  readonly proven: boolean
  /** ISO 8601 UTC: until then the store lets nobody remove it. */
  readonly lockedUntil?: string | undefined
}

const periods = ["last", "daily", "weekly", "monthly"] as const
type Period = (typeof periods)[number]

export type KeepReason =
  /** Newest of a period that the policy counts, or, with `oldest-`, the start of the history while a count is left. */
  | Period
  | `oldest-${Exclude<Period, "last">}`
  /** No newer one holds all that it holds: never removed. */
  | "newest-proven"
  /** A release points to it, this run made it, an app waits for it, or it holds what a restore has dropped. */
  | "in-use"
  /** The store lets nobody remove it yet. */
  | "locked"
  /** Dated after now. It is kept and fills no period. */
  | "future"
  /** By the dates of this or another backup a clock is wrong, or was: which are the newest is not known, and none goes. */
  | "clock"
  /**
   * It is not proven, but either not older than every proven one of what it holds that stays (it may be all there is of its
   * time), or one that would stay if it were: a drill that failed must not cost a backup its life.
   */
  | "unproven"
  | "empty-policy"
export type RemoveReason = "outside-policy" | "unproven-and-older"

export type RetentionDecision =
  | { readonly id: string; readonly keep: true; readonly reasons: readonly KeepReason[] }
  | { readonly id: string; readonly keep: false; readonly reasons: readonly RemoveReason[] }

export interface RetentionOptions {
  readonly policy: RetentionPolicy
  readonly now: Date
  /** Ids that must stay whatever the policy says. */
  readonly inUse?: ReadonlySet<string>
  /** When the backup that was just made was made: the others must be older. */
  readonly made?: Date | undefined
}

/**
 * What to keep and what to remove, newest first, and why. The rule is restic's `forget` (`snapshot_policy.go`): each
 * period keeps the newest backup of each day, ISO week or month (UTC) that has one, until its count is used up; a backup
 * stays when any period wants it; while a count is left, the oldest stays too. A backup takes the place only of those
 * that hold nothing that it does not: one of some services or databases never costs one of all. On top of it S8: only
 * proven backups count, the newest proven one of each service and database stays, what is in use stays, and an empty policy
 * removes nothing; neither does anything go while a date shows that a clock was wrong.
 */
export function decideRetention(
  items: readonly RetentionItem[],
  { policy, now, inUse = new Set(), made }: RetentionOptions,
): readonly RetentionDecision[] {
  const sorted = [...items].sort((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1))
  const isFuture = (item: RetentionItem) => timeOf(item) > now.getTime()
  const counted = sorted.filter((item) => item.proven && !isFuture(item))
  const wanted = wantedAmongRivals(policy, counted)
  const emptyPolicy = periods.every((period) => policy[period] <= 0)
  const wrongClock = items.some((item) => isDatedAhead(item, now) || (made && timeOf(item) > made.getTime()))
  const reasonsOf = (item: RetentionItem): readonly KeepReason[] => [
    ...(wanted.get(item) ?? []),
    ...(inUse.has(item.id) ? (["in-use"] as const) : []),
    ...(Date.parse(item.lockedUntil ?? "") > now.getTime() ? (["locked"] as const) : []),
    ...(isFuture(item) ? (["future"] as const) : []),
    ...(emptyPolicy ? (["empty-policy"] as const) : []),
    ...(wrongClock ? (["clock"] as const) : []),
  ]
  const mayBeAllThereIs = (item: RetentionItem) => {
    const oldestKept = counted.findLast((one) => holdsAll(one, item) && reasonsOf(one).length > 0)
    return !oldestKept || timeOf(item) >= timeOf(oldestKept)
  }
  const wantedIfProven = (item: RetentionItem) =>
    wantedAmongRivals(
      policy,
      sorted.filter((one) => one === item || counted.includes(one)),
    ).get(item)?.length
  return sorted.map((item) => {
    const reasons = reasonsOf(item)
    if (!item.proven && (mayBeAllThereIs(item) || wantedIfProven(item))) return keep(item, [...reasons, "unproven"])
    if (reasons.length > 0) return keep(item, reasons)
    return { id: item.id, keep: false, reasons: [item.proven ? "outside-policy" : "unproven-and-older"] }
  })
}

/**
 * The same before a backup that `holds` these is made, for a disk that has no room for one more: what it will push out goes
 * already, but for what is the newest proven backup of any service or database now, or may be all there is of its time: the coming one may
 * fail (S8).
 */
export function decideRetentionBefore(
  items: readonly RetentionItem[],
  holds: readonly string[],
  options: RetentionOptions,
): readonly RetentionDecision[] {
  const coming = { id: "", created: options.now.toISOString(), holds, proven: true }
  const now = new Map(decideRetention(items, options).map((one) => [one.id, one]))
  return decideRetention([coming, ...items], options)
    .filter(({ id }) => id !== coming.id)
    .map((later) => {
      const today = now.get(later.id)
      const isNeeded =
        today?.keep && (["newest-proven", "unproven"] as const).some((one) => today.reasons.includes(one))
      return isNeeded ? today : later
    })
}

/** Each backup is counted among those that hold all that it holds; they are sorted newest first. */
function wantedAmongRivals(
  policy: RetentionPolicy,
  counted: readonly RetentionItem[],
): ReadonlyMap<RetentionItem, readonly KeepReason[]> {
  const wanted = new Map<RetentionItem, readonly KeepReason[]>()
  for (const alike of Map.groupBy(counted, ({ holds }) => JSON.stringify([...holds].sort())).values()) {
    const [first] = alike
    const rivals = counted.filter((one) => first && holdsAll(one, first))
    const byPeriod = wantedBy(policy, rivals)
    for (const item of alike)
      wanted.set(item, [...(byPeriod.get(item) ?? []), ...(item === rivals[0] ? (["newest-proven"] as const) : [])])
  }
  return wanted
}

function holdsAll(one: RetentionItem, { holds }: RetentionItem): boolean {
  const held = new Set(one.holds)
  return holds.every((what) => held.has(what))
}

/** restic's rule, over backups sorted newest first. */
function wantedBy(
  policy: RetentionPolicy,
  counted: readonly RetentionItem[],
): ReadonlyMap<RetentionItem, readonly KeepReason[]> {
  const wanted = new Map<RetentionItem, KeepReason[]>()
  for (const period of periods) {
    let left = policy[period]
    let previous: string | undefined
    for (const [index, item] of counted.entries()) {
      if (left <= 0) break
      const key = period === "last" ? String(index) : periodKey(period, new Date(item.created))
      const isNew = key !== previous
      // The oldest stays while a count is left: that gives the longest history the policy has room for.
      if (!isNew && index !== counted.length - 1) continue
      const reason: KeepReason = isNew || period === "last" ? period : `oldest-${period}`
      wanted.set(item, [...(wanted.get(item) ?? []), reason])
      previous = key
      left -= 1
    }
  }
  return wanted
}

/** Names the day, ISO 8601 week or month, in UTC, that a time falls in. */
export function periodKey(period: Exclude<Period, "last">, time: Date): string {
  const date = time.toISOString()
  if (period === "daily") return date.slice(0, 10)
  return period === "monthly" ? date.slice(0, 7) : isoWeek(time)
}

/** A week belongs to the year of its Thursday. */
function isoWeek(time: Date): string {
  const day = 86_400_000
  const weekday = (time.getUTCDay() + 6) % 7
  const thursday = new Date(Math.floor(time.getTime() / day) * day + (3 - weekday) * day)
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  const week = Math.floor((thursday.getTime() - newYear) / (7 * day)) + 1
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`
}

function keep(item: RetentionItem, reasons: readonly KeepReason[]): RetentionDecision {
  return { id: item.id, keep: true, reasons }
}

function timeOf({ created }: RetentionItem): number {
  return Date.parse(created)
}
