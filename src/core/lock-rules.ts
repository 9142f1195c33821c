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

/** What the host says about a lock that is not free. */
export interface LeaseState {
  readonly number: number
  /** `ahead`: renewed in the future, so the host's clock was set back and nobody knows how old it is. */
  readonly state: "held" | "stale" | "ahead"
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
  /^(?<state>held|stale|ahead) (?<number>\d+) (?<held>-?\d+) (?<age>-?\d+) (?<ttl>\d+) (?<boot>this|other) ?(?<record>.*)$/

/** Reads a line of `lease_read`; undefined means free. Throws `lease-unreadable` on anything else: nobody guesses about a lock. */
export function parseLeaseState(text: string): LeaseState | undefined {
  const trimmed = text.trim()
  if (/^free \d+$/.test(trimmed)) return undefined
  const found = line.exec(trimmed)?.groups
  if (!found)
    throw failure("lease-unreadable", `the host's answer about the lock makes no sense: ${trimmed.slice(0, 200)}`)
  const record = parseRecord(found.record ?? "")
  return {
    number: Number(found.number),
    state: found.state as LeaseState["state"],
    holder: record?.holder,
    mark: record?.mark,
    held: Number(found.held) * 1000,
    age: Number(found.age) * 1000,
    ttl: Number(found.ttl) * 1000,
    thisBoot: found.boot === "this",
  }
}

/** The record of a claim: one line of JSON, below the size that is written at once. */
export function leaseRecord(holder: Holder, mark: string): string {
  const short = (text: string) => text.slice(0, 400)
  const { run, attempt, actor, purpose, url } = holder
  return JSON.stringify({
    run: short(run),
    attempt: short(attempt),
    actor: short(actor),
    purpose: short(purpose),
    url: short(url),
    mark,
  })
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

function parseRecord(text: string): { readonly holder: Holder; readonly mark: string } | undefined {
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
  return {
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
