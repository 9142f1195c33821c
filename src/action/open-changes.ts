import { randomUUID } from "node:crypto"
import type { Config } from "../core/config.ts"
import { messageOf } from "../core/errors.ts"
import { type Layout, layout } from "../core/layout.ts"
import { assertDetachable } from "../host/assert-detachable.ts"
import { claimLease } from "../host/claim-lease.ts"
import type { Host } from "../host/host.ts"
import type { Lease } from "../host/lease.ts"
import { noticing } from "../host/noticing.ts"
import { openWork } from "../host/open-work.ts"
import { planWork } from "../host/plan-work.ts"
import { readOnlyHost } from "../host/recording.ts"
import { resumeLease } from "../host/resume-lease.ts"
import { acknowledgeWork, settleWork } from "../host/settle-work.ts"
import { steady } from "../host/steady.ts"
import type { Work } from "../host/work.ts"
import type { ActionContext } from "./outcome.ts"
import { forgetClaim, rememberClaim } from "./post-claim.ts"
import type { ToolInputs } from "./tool-inputs.ts"

/** The right to change the host, and how it ends. */
export interface Held {
  /** To be used from now on: whatever is done through it counts as progress, without which the lock runs out. */
  readonly host: Host
  readonly work: Work
  readonly lease: Lease | undefined
  /** Writes the outcome down and gives the lock back if it was taken here. Never throws: it must not hide the outcome. */
  end(outcome: "done" | "failed"): Promise<void>
}

interface ChangeOptions {
  readonly config: Config
  readonly inputs: ToolInputs
  readonly context: ActionContext
  readonly name: string
  /** Where lock, work and journal lie. */
  readonly places: Pick<Layout, "lock" | "work" | "journal">
}

/** For actions that only look: a step would be a bug of ours. */
export function lookOnly(host: Host, name: string): Held {
  const refuse = () => {
    throw new TypeError(`${name} must not change the host`)
  }
  const work: Work = { dryRun: false, id: name, step: async () => refuse(), check: (_name, observe) => observe() }
  return { host: readOnlyHost(host), work, lease: undefined, end: async () => {} }
}

/**
 * Takes the lock, or goes on with the one that an earlier job of this run took, waits until the work of earlier runs
 * has ended on the host, and says what they left. A dry run takes no lock and shows its steps. Refuses a host on which
 * detached work does not outlive its login.
 */
export async function openChanges(connection: Host, options: ChangeOptions): Promise<Held> {
  const { inputs, context, name, places } = options
  const { log, run, signal } = context
  const id = `${run.id}-${run.attempt}-${name}-${Date.now().toString(36)}`
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(-80)
  const host = steady(connection, { log: log.warning, signal })
  if (options.config.host.address !== "local") await assertDetachable(host, log.warning)
  if (inputs["dry-run"]) {
    const work = planWork({ id, log: log.info })
    return { host: readOnlyHost(host), work, lease: undefined, end: async () => {} }
  }

  const lease = await takeLease(host, options)
  const borrowed = inputs["lock-number"] !== undefined
  const giveBack = async () => {
    if (borrowed) return
    await quietly(log.warning, async () => {
      await lease.release()
      forgetClaim(context)
    })
  }
  const released = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(giveBack()), { once: true })
  })
  try {
    await settleEarlier(host, options)
  } catch (error) {
    await giveBack()
    throw error
  }
  const watched = noticing(host, lease.progress)
  const work = openWork(watched, { lease, layout: places, id, log: log.step, signal })
  return {
    host: watched,
    work,
    lease,
    async end(outcome) {
      const goodbye = async () => {
        await quietly(log.warning, () => work.finish(outcome))
        await (signal.aborted ? released : giveBack())
      }
      await (signal.aborted ? inTime(goodbye(), log.warning) : goodbye())
    },
  }
}

async function takeLease(host: Host, { config, inputs, context, name, places }: ChangeOptions): Promise<Lease> {
  const { run, log, signal } = context
  const { lock: directory, work } = places
  const number = inputs["lock-number"]
  const holder = { run: run.id, attempt: run.attempt, actor: run.actor, url: run.url, purpose: name }
  const claim = { directory, work, holder, ttl: config.lock.stale, log: log.warning, signal }
  if (number !== undefined) return resumeLease(host, { ...claim, number })
  const mark = randomUUID()
  rememberClaim(context, { directory, work, mark })
  const forcible = directory === layout(config).lock
  return claimLease(host, { ...claim, mark, forcible, wait: inputs["lock-wait"] ?? config.lock.wait })
}

/** What earlier runs left is waited for and told. What they had begun, their notes on the host tell: the jobs finish it. */
async function settleEarlier(host: Host, { context, places }: ChangeOptions): Promise<void> {
  const { log, signal } = context
  const left = await settleWork(host, { layout: places, log: log.warning, signal })
  for (const piece of left.cut) log.warning(`run ${piece.run} was cut off in its step ${piece.step}`)
  for (const line of left.runs)
    log.warning(`run ${line.run} never said how it ended; it last did ${line.step ?? "nothing"}`)
  if (left.cut.length + left.runs.length > 0) await acknowledgeWork(host, places, left)
}

/** Milliseconds that a host which does not answer holds up who was cancelled: after 7.5 s the runner ends what is still there. */
const patience = 5000

async function inTime(goodbye: Promise<void>, warn: (message: string) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    warn("while closing: the host does not answer; the lock frees itself after its last renewal")
    resolve()
  }, patience)
  await Promise.race([goodbye, promise])
  clearTimeout(timer)
}

async function quietly(warn: (message: string) => void, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    warn(`while closing: ${messageOf(error)}`)
  }
}
