import { inputError } from "../core/errors.ts"
import { describeLease, type LeaseState } from "../core/lock-rules.ts"
import { claimLease } from "../host/claim-lease.ts"
import { leaseLost, renewLease } from "../host/open-lease.ts"
import { forceReleaseLease, readLease } from "../host/read-lease.ts"
import { readOwnClaim, releaseOwnClaim } from "../host/resume-lease.ts"
import type { Tools } from "./tools.ts"

export const lockModes = ["acquire", "renew", "release", "force-release", "status"] as const
export type LockMode = (typeof lockModes)[number]

export interface LockOptions {
  readonly mode: LockMode
  /** By which this run knows a claim made before: needed by `renew` and `release`. */
  readonly number?: number | undefined
  /** Milliseconds to wait for another holder. */
  readonly wait: number
  readonly purpose: string
  /** Written into the claim, so that it can be found even by who never learned its number; made up unless told. */
  readonly mark?: string
}

export interface LockResult {
  /** Whether this run holds the lock now. */
  readonly acquired: boolean
  /** By which this run knows its claim from now on. */
  readonly number: number | undefined
  /** Who holds it; empty when nobody does. */
  readonly holder: string
  readonly expires: Date | undefined
  /** `working`: detached work of this run still goes on, and its end releases the lock. */
  readonly reason: "done" | "working" | "not-held"
}

type LockTools = Pick<Tools, "host" | "layout" | "config" | "run" | "log" | "clock" | "signal">

/** Takes, renews, releases or shows the deployment lock. Throws the refusal `lock-held` when somebody else keeps it. */
export async function lock(tools: LockTools, options: LockOptions): Promise<LockResult> {
  switch (options.mode) {
    case "acquire":
      return acquire(tools, options)
    case "renew":
      return renew(tools, options)
    case "release":
      return release(tools, options)
    case "force-release":
      return forceRelease(tools)
    case "status":
      return show(tools, "done")
  }
}

async function acquire(tools: LockTools, { wait, purpose, mark }: LockOptions): Promise<LockResult> {
  const { run, config, host, signal } = tools
  const { id, attempt, actor, url } = run
  const holder = { run: id, attempt, actor, purpose, url }
  const claim = { ...place(tools), holder, ttl: config.lock.stale, wait, signal, ...(mark !== undefined && { mark }) }
  await claimLease(host, claim)
  return show(tools, "done")
}

async function renew(tools: LockTools, options: LockOptions): Promise<LockResult> {
  const number = numberOf(options)
  const claim = await readOwnClaim(tools.host, { ...own(tools), number })
  if (!claim || claim.state === "free") throw leaseLost(number)
  await renewLease(tools.host, { directory: tools.layout.lock, number: claim.number })
  return show(tools, "done")
}

async function release(tools: LockTools, options: LockOptions): Promise<LockResult> {
  const outcome = await releaseOwnClaim(tools.host, { ...own(tools), number: numberOf(options) })
  return show(tools, outcome === "released" ? "done" : outcome)
}

async function forceRelease(tools: LockTools): Promise<LockResult> {
  const held = await readLease(tools.host, tools.layout.lock)
  const forced = held !== undefined && (await forceReleaseLease(tools.host, tools.layout.lock, held.number))
  if (forced) tools.log.warning(`released by force: ${describeLease(held)}`)
  return show(tools, forced ? "done" : "not-held")
}

async function show(tools: LockTools, reason: LockResult["reason"]): Promise<LockResult> {
  const state = await readLease(tools.host, tools.layout.lock)
  if (!state) return { acquired: false, number: undefined, holder: "", expires: undefined, reason }
  const ours = holds(tools, state)
  return {
    acquired: ours,
    number: ours ? state.root : undefined,
    holder: describeLease(state),
    expires: new Date(tools.clock.now().getTime() + state.ttl - state.age),
    reason,
  }
}

function holds({ run }: LockTools, { holder, state }: LeaseState): boolean {
  return holder?.run === run.id && state === "held"
}

function place({ layout, log }: LockTools) {
  return { directory: layout.lock, work: layout.work, log: (line: string) => log.info(line) }
}

function own({ layout, run }: LockTools) {
  return { directory: layout.lock, work: layout.work, claimant: { run: run.id, attempt: run.attempt } }
}

function numberOf({ mode, number }: LockOptions): number {
  if (number !== undefined) return number
  throw inputError("lock-number-missing", `input \`lock-number\` is needed to ${mode} a lock`, {
    hint: "Give the output `lock-number` of the step that took it; `force-release` needs none.",
  })
}
