import { randomUUID } from "node:crypto"
import {
  type Claimant,
  describeLease,
  type Holder,
  isOwnClaim,
  type LeaseState,
  leaseRecord,
  mayGoOn,
} from "../core/lock-rules.ts"
import type { Host } from "./host.ts"
import type { Lease } from "./lease.ts"
import { makeClaim } from "./make-claim.ts"
import { type LeaseOptions, leaseLost, openLease, type ReleaseOutcome, releaseLease } from "./open-lease.ts"
import { readClaim } from "./read-lease.ts"

export interface ResumeOptions extends Omit<LeaseOptions, "ttl"> {
  /** Who goes on with it, as for a claim; its run is the one that made the claim. */
  readonly holder: Holder
  /** Milliseconds; as it was unless told. */
  readonly ttl?: number
  readonly signal?: AbortSignal
}

/** What this run knows its claim by: the number that was given out when it took the lock, or the mark it chose then. */
export interface OwnClaim extends Pick<LeaseOptions, "directory" | "work"> {
  readonly claimant: Claimant
  readonly number?: number | undefined
  readonly mark?: string | undefined
}

/**
 * Goes on with the claim that this run knows as `number`, in another process: an earlier job took it, or an earlier
 * attempt, which may have released it. The lock is handed on under a number of its own, so whoever acted under the old
 * one is stopped by the fence. Throws `lease-lost` when another run had the lock since.
 */
export async function resumeLease(host: Host, options: ResumeOptions): Promise<Lease> {
  const { directory, number, holder, log, signal } = options
  for (;;) {
    signal?.throwIfAborted()
    const claim = await readClaim(host, directory)
    if (!claim || !mayGoOn(claim, { ...holder, number })) throw leaseLost(number, new Error(tellNow(claim)))
    const { ttl = claim.ttl } = options
    const mark = randomUUID()
    const record = leaseRecord(holder, mark, number)
    const answer = await makeClaim(host, { directory, ttl, record, mark, after: claim.number, log })
    if (typeof answer === "number") {
      signal?.throwIfAborted() // the job that took the lock gives it back
      return openLease(host, { ...options, number: answer, ttl })
    }
  }
}

/** This run's claim, released or not, when it is the newest one. */
export async function readOwnClaim(
  host: Host,
  { directory, claimant, number, mark }: OwnClaim,
): Promise<LeaseState | undefined> {
  const claim = await readClaim(host, directory)
  if (!claim) return undefined
  const known = number === undefined ? claim.mark === mark : isOwnClaim(claim, { ...claimant, number })
  return known ? claim : undefined
}

/** Releases this run's claim under whatever number it goes now: for a job or a post step that ends what another began. */
export async function releaseOwnClaim(host: Host, own: OwnClaim): Promise<ReleaseOutcome> {
  const claim = await readOwnClaim(host, own)
  return claim ? releaseLease(host, { ...own, number: claim.number }) : "not-held"
}

function tellNow(claim: LeaseState | undefined): string {
  if (!claim) return "nobody ever took it"
  const verb = claim.state === "free" ? "was last held" : "is held"
  return `it ${verb} as number ${claim.number} by ${describeLease(claim)}`
}
