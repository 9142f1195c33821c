import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { formatDuration } from "../core/duration.ts"
import { failure, refusal } from "../core/errors.ts"
import { describeLease, type Holder, isEarlierAttempt, type LeaseState, leaseRecord } from "../core/lock-rules.ts"
import type { Host } from "./host.ts"
import type { Lease } from "./lease.ts"
import { makeClaim } from "./make-claim.ts"
import { type LeaseOptions, openLease } from "./open-lease.ts"
import { forceReleaseLease, leaseTtl, readLease } from "./read-lease.ts"

export interface ClaimOptions extends Omit<LeaseOptions, "number" | "ttl"> {
  readonly holder: Holder
  /** Milliseconds; ten minutes unless told. At least 4 s, because renewals and the host's clock count in seconds. */
  readonly ttl?: number
  /** Milliseconds to wait for another holder; none unless told. */
  readonly wait?: number
  /** Ends the claim of whoever holds the lock now. A person's decision: that run finds out at its next step. */
  readonly force?: boolean
  /** Whether the lock action can release this lock by force, and a refusal says so; yes unless told. */
  readonly forcible?: boolean
  /** Milliseconds between two looks; 5 s unless told. */
  readonly poll?: number
  /** Unique text by which whoever knows it finds this claim, even when its number never arrived; made up unless told. */
  readonly mark?: string
  readonly signal?: AbortSignal
}

/**
 * Takes the lock of `directory`, waiting up to `wait`. What an earlier attempt of the same run holds is taken over at
 * once. Throws the refusal `lock-held` naming the holder, its run and age, and when it is taken for dead; nothing has
 * changed on the host then.
 */
export async function claimLease(host: Host, options: ClaimOptions): Promise<Lease> {
  const { directory, holder, ttl = leaseTtl, wait = 0, poll = 5000, mark = randomUUID(), signal, log } = options
  const claim = { directory, ttl, record: leaseRecord(holder, mark), mark, log }
  const until = Date.now() + wait
  let told: number | undefined
  let after: number | undefined
  if (options.force) await forceCurrent(host, options)
  for (;;) {
    signal?.throwIfAborted()
    const answer = await makeClaim(host, { ...claim, after })
    if (typeof answer === "number") return unlessAborted(openLease(host, { ...options, number: answer, ttl }), signal)
    after = undefined
    if (answer && isEarlierAttempt(answer, holder)) {
      log?.(`taking over from an earlier attempt of this run: ${describeLease(answer)}`)
      after = answer.number
    } else {
      if (answer && Date.now() >= until) throw lockHeld(answer, options)
      if (answer && answer.number !== told) log?.(`waiting for the deployment lock: ${describeLease(answer)}`)
      told = answer?.number ?? told
      await sleep(answer ? Math.min(poll, Math.max(50, until - Date.now())) : 50, undefined, signal ? { signal } : {})
    }
  }
}

/** Cancelled while the claim was made: its number would never reach anybody who releases it. */
async function unlessAborted(lease: Lease, signal: AbortSignal | undefined): Promise<Lease> {
  if (!signal?.aborted) return lease
  await lease.release()
  throw signal.reason
}

async function forceCurrent(host: Host, { directory, log }: ClaimOptions): Promise<void> {
  const state = await readLease(host, directory)
  if (state && (await forceReleaseLease(host, directory, state.number)))
    log?.(`the lock was taken by force from ${describeLease(state)}`)
}

function lockHeld(state: LeaseState, { holder, wait = 0, forcible = true }: ClaimOptions): Error {
  if (state.state === "ahead")
    return failure("lock-clock", `the deployment lock cannot be judged: ${describeLease(state)}`, {
      hint: "Set the host's clock right, or make sure that run is dead and release the lock by force (lock action, mode force-release).",
    })
  const lives =
    state.holder?.run === holder.run
      ? "It is this run's own (on a command line: of the same person on the same machine). Where its lock step took it, give the output `lock-number` of that step here; where another command or job of it works, wait for that one to end."
      : "Wait for that run, or cancel it."
  return refusal(
    "lock-held",
    `the deployment lock is held by ${describeLease(state)}${wait > 0 ? `; waited ${formatDuration(wait)}` : ""}`,
    { hint: `${lives} ${ifDead(state, forcible)}` },
  )
}

/** An upper bound: after a reboot it takes half as long. The host counts whole seconds, and one more than the ttl. */
function ifDead({ ttl, age }: LeaseState, forcible: boolean): string {
  const left = ttl - age + 1000
  const at = new Date(Date.now() + left).toISOString().slice(0, 19)
  const force = forcible
    ? "; if it cannot wait, release the lock by force (`infra-actions lock --mode force-release`)"
    : ""
  return `If it is dead, and no work of it goes on there, the lock is free in ${formatDuration(left)} at the latest (${at}Z): run this again then, or with a \`lock-wait\` as long${force}. See docs/runbooks/stuck-lock.md.`
}
