import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { formatDuration } from "../core/duration.ts"
import { failure, refusal } from "../core/errors.ts"
import { describeLease, type Holder, type LeaseState, leaseRecord, parseLeaseState } from "../core/lock-rules.ts"
import { remoteCall } from "../remote/call.ts"
import { type Host, HostError } from "./host.ts"
import type { Lease } from "./lease.ts"
import { type LeaseOptions, leaseLost, openLease } from "./open-lease.ts"

/** Milliseconds without renewal after which a lease is stale (S4). */
export const leaseTtl = 600_000

export interface ClaimOptions extends Omit<LeaseOptions, "number" | "ttl"> {
  readonly holder: Holder
  /** Milliseconds; ten minutes unless told. At least 4 s, because renewals and the host's clock count in seconds. */
  readonly ttl?: number
  /** Milliseconds to wait for another holder; none unless told. */
  readonly wait?: number
  /** Ends the claim of whoever holds the lock now. A person's decision: that run finds out at its next step. */
  readonly force?: boolean
  /** Milliseconds between two looks; 5 s unless told. */
  readonly poll?: number
  readonly signal?: AbortSignal
}

/**
 * Takes the lock of `directory`, waiting up to `wait`. Throws the refusal `lock-held` naming the holder, its run and
 * age; nothing has changed on the host then.
 */
export async function claimLease(host: Host, options: ClaimOptions): Promise<Lease> {
  const { ttl = leaseTtl, wait = 0, poll = 5000, signal, log } = options
  const record = { text: "", mark: randomUUID() }
  record.text = leaseRecord(options.holder, record.mark)
  const until = Date.now() + wait
  let told = false
  if (options.force) await forceCurrent(host, options, ttl)
  for (;;) {
    const answer = await tryClaim(host, options, { ttl, ...record })
    if (typeof answer === "number") return openLease(host, { ...options, number: answer, ttl })
    if (answer && Date.now() >= until) throw lockHeld(answer, wait)
    if (answer && !told) log?.(`waiting for the deployment lock: ${describeLease(answer)}`)
    told ||= answer !== undefined
    await sleep(answer ? Math.min(poll, Math.max(50, until - Date.now())) : 50, undefined, signal ? { signal } : {})
  }
}

/** Goes on with a claim made earlier by the same run, in another process. Throws `lease-lost` when it is not held by that run. */
export async function resumeLease(
  host: Host,
  options: Omit<LeaseOptions, "ttl"> & { readonly run: string },
): Promise<Lease> {
  const state = await readLease(host, options.directory)
  if (state?.number !== options.number || state.holder?.run !== options.run) {
    const now = state ? `it is held by claim ${state.number}: ${describeLease(state)}` : "nobody holds it"
    throw leaseLost(options.number, new Error(now))
  }
  const lease = openLease(host, { ...options, ttl: state.ttl })
  await lease.renew()
  return lease
}

/** Who holds the lock of `directory`; undefined when nobody does. */
export async function readLease(host: Host, directory: string): Promise<LeaseState | undefined> {
  const { stdout } = await host.run(
    remoteCall("lease", "read", { name: "lease_read", args: [directory, leaseTtl / 1000] }),
  )
  return parseLeaseState(stdout)
}

/** Ends claim `number` for its holder, on a person's word. False when it did not hold the lock. */
export async function forceReleaseLease(host: Host, directory: string, number: number): Promise<boolean> {
  const { stdout } = await host.run(remoteCall("lease", "change", { name: "lease_force", args: [directory, number] }))
  return stdout.trim() === "forced"
}

async function forceCurrent(host: Host, { directory, log }: ClaimOptions, ttl: number): Promise<void> {
  const state = await readLease(host, directory)
  if (!state || (await forceReleaseLease(host, directory, state.number)) === false) return
  log?.(`the lock was taken by force from ${describeLease({ ...state, ttl })}`)
}

/** The claim's number, or who stands in the way; undefined when it is worth trying again at once. */
async function tryClaim(
  host: Host,
  { directory, signal }: ClaimOptions,
  claim: { readonly ttl: number; readonly text: string; readonly mark: string },
): Promise<number | LeaseState | undefined> {
  const seconds = Math.max(4, Math.ceil(claim.ttl / 1000))
  const command = remoteCall("lease", "change", { name: "lease_claim", args: [directory, seconds, claim.text] })
  const answer = await host.run(command, signal ? { signal } : {}).catch(async (error: unknown) => {
    if (!(error instanceof HostError) || error.fault !== "lost") throw error
    return await host.run(command, signal ? { signal } : {}) // the claim may stand: our mark in it tells
  })
  const number = /^claimed (\d+)\s*$/.exec(answer.stdout)?.[1]
  if (number) return Number(number)
  const state = parseLeaseState(answer.stdout)
  if (state?.mark === claim.mark) return state.number
  return state
}

function lockHeld(state: LeaseState, waited: number): Error {
  if (state.state === "ahead")
    return failure("lock-clock", `the deployment lock cannot be judged: ${describeLease(state)}`, {
      hint: "Set the host's clock right, or make sure that run is dead and release the lock by force (lock action, mode force-release).",
    })
  return refusal(
    "lock-held",
    `the deployment lock is held by ${describeLease(state)}${waited > 0 ? `; waited ${formatDuration(waited)}` : ""}`,
    {
      hint: `Wait for that run or cancel it. The lock frees itself ${formatDuration(state.ttl)} after its last renewal; force it only when that run is surely dead.`,
    },
  )
}
