import { formatDuration } from "./duration.ts"
import { failure } from "./errors.ts"

/** Who holds the lock and why; written into the claim before it becomes visible. */
export interface Holder {
  readonly run: string
  readonly attempt: string
  readonly actor: string
  readonly purpose: string
  /** Link to the run; empty outside of GitHub. */
  readonly url: string
}

/** What the host says about the newest claim of a lock. */
export interface LeaseState {
  readonly number: number
  /** The number that the run knows it by: of the claim from which this one was handed on. Its own when it was not. */
  readonly root: number
  /**
   * `free`: released. `ahead`: renewed so far in the future that it would not run out by itself, for the host's clock
   * was set back.
   */
  readonly state: "free" | "held" | "stale" | "ahead"
  /** Undefined when the record is damaged. */
  readonly holder: Holder | undefined
  /** Unique mark of the claim, by which its maker knows it again. */
  readonly mark: string | undefined
  /** Milliseconds since the claim was made. */
  readonly held: number
  /** Milliseconds since the last renewal; negative when the clock was set back. */
  readonly age: number
  /** Milliseconds. */
  readonly ttl: number
  /** Whether the host has not been rebooted since the last renewal. */
  readonly thisBoot: boolean
}

const line =
  /^(?<state>free|held|stale|ahead) (?<number>\d+) (?<held>-?\d+) (?<age>-?\d+) (?<ttl>\d+) (?<boot>this|other) ?(?<record>.*)$/

/** Who holds the lock, from a line of `lease_say`; undefined means free. Throws as `parseClaim` does. */
export function parseLeaseState(text: string): LeaseState | undefined {
  const claim = parseClaim(text)
  return claim?.state === "free" ? undefined : claim
}

/**
 * The newest claim, released or not, from a line of `lease_say`; undefined when there never was one. Throws
 * `lease-unreadable` on anything else: nobody guesses about a lock.
 */
export function parseClaim(text: string): LeaseState | undefined {
  const trimmed = text.trim()
  if (trimmed === "free 0") return undefined
  const found = line.exec(trimmed)?.groups
  if (!found)
    throw failure("lease-unreadable", `the host's answer about the lock makes no sense: ${trimmed.slice(0, 200)}`)
  const record = parseRecord(found.record ?? "")
  return {
    number: Number(found.number),
    root: record?.root ?? Number(found.number),
    state: found.state as LeaseState["state"],
    holder: record?.holder,
    mark: record?.mark,
    held: Number(found.held) * 1000,
    age: Number(found.age) * 1000,
    ttl: Number(found.ttl) * 1000,
    thisBoot: found.boot === "this",
  }
}

/** The record of a claim: one line of JSON, below the size that is written at once. `root` when it is handed on. */
export function leaseRecord(holder: Holder, mark: string, root?: number): string {
  const short = (text: string) => text.slice(0, 400)
  const { run, attempt, actor, purpose, url } = holder
  return JSON.stringify({
    run: short(run),
    attempt: short(attempt),
    actor: short(actor),
    purpose: short(purpose),
    url: short(url),
    mark,
    root,
  })
}

/** A process of a run, as the rules about its claims know it. */
export type Claimant = Pick<Holder, "run" | "attempt">

/**
 * Whether `claim` is the one that this run knows as `number`, or was handed on from it within this run. What a later
 * attempt of the run has made of it is not ours any more.
 */
export function isOwnClaim(
  claim: LeaseState,
  { run, attempt, number }: Claimant & { readonly number: number },
): boolean {
  return claim.holder?.run === run && claim.root === number && Number(claim.holder.attempt) <= Number(attempt)
}

/** Whether the holder is an earlier attempt of this run: GitHub starts the next one only when that has ended. */
export function isEarlierAttempt(claim: LeaseState, { run, attempt }: Claimant): boolean {
  return claim.holder?.run === run && Number(claim.holder.attempt) < Number(attempt)
}

/** Whether a process of this run may go on with its claim: also when it was released, if that was an earlier attempt. */
export function mayGoOn(claim: LeaseState, claimant: Claimant & { readonly number: number }): boolean {
  return isOwnClaim(claim, claimant) && (claim.state !== "free" || isEarlierAttempt(claim, claimant))
}

/** `backup by alice (run 77, attempt 1, https://...), held for 3m 0s, last renewed 12.0s ago`. */
export function describeLease(lease: LeaseState): string {
  const { holder } = lease
  const who = holder
    ? `${holder.purpose} by ${holder.actor} (run ${holder.run}, attempt ${holder.attempt}${holder.url ? `, ${holder.url}` : ""})`
    : "a claim whose record is damaged"
  const age =
    lease.age < 0
      ? `renewed ${formatDuration(-lease.age)} in the future: the host's clock was set back`
      : `last renewed ${formatDuration(lease.age)} ago`
  return `${who}, held for ${formatDuration(Math.max(0, lease.held))}, ${age}`
}

interface ClaimRecord {
  readonly holder: Holder
  readonly mark: string
  readonly root: number | undefined
}

function parseRecord(text: string): ClaimRecord | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined // a power cut can empty it; the claim stands all the same
  }
  if (typeof json !== "object" || json === null) return undefined
  const field = (name: string) => {
    const value = (json as Record<string, unknown>)[name]
    return typeof value === "string" ? value : ""
  }
  const { root } = json as { root?: unknown }
  return {
    root: typeof root === "number" ? root : undefined,
    holder: {
      run: field("run"),
      attempt: field("attempt"),
      actor: field("actor"),
      purpose: field("purpose"),
      url: field("url"),
    },
    mark: field("mark"),
  }
}
