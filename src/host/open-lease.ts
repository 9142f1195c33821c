import { dirname } from "node:path/posix"
import { formatDuration } from "../core/duration.ts"
import { AppError, failure, messageOf } from "../core/errors.ts"
import { fenceText, remoteCall } from "../remote/call.ts"
import { sh } from "../shell/command.ts"
import { CommandError, type Host } from "./host.ts"
import type { Lease } from "./lease.ts"

export interface LeaseOptions {
  /** The lock's directory: `Layout.lock`. */
  readonly directory: string
  readonly number: number
  /** Milliseconds. */
  readonly ttl: number
  /** The folder of detached work: `Layout.work`; beside the lock unless told. */
  readonly work?: string
  readonly log?: (line: string) => void
}

/** Ttls without progress after which a lease is not renewed any more; then it takes one more to become stale. */
export const patience = 3

/** `working`: detached work still runs, and its end releases the lease. */
export type ReleaseOutcome = "released" | "working" | "not-held"

/** A lease for a claim that is known to be held; renews it from now on. Made by `claimLease` and `resumeLease`. */
export function openLease(host: Host, options: LeaseOptions): Lease {
  const { directory, number, ttl, log } = options
  const renew = () => renewLease(host, options)
  const beat = heartbeat(renew, ttl, log)
  return {
    number,
    directory,
    ttl,
    fence: sh`( ${fenceText(directory, number)}) || { echo ${`claim ${number} no longer holds the lock ${directory}`} >&2; exit 79; }`,
    progress: beat.progress,
    renew,
    async release() {
      beat.stop()
      const outcome = await releaseLease(host, options)
      if (outcome === "working") log?.("work of this run still goes on on the host; the lock is released when it ends")
      if (outcome === "not-held") log?.(`claim ${number} did not hold the lock any more`)
    },
  }
}

/** Releases exactly claim `number`, if it holds the lock. */
export async function releaseLease(
  host: Host,
  { directory, number, work = besideLock(directory) }: Pick<LeaseOptions, "directory" | "number" | "work">,
): Promise<ReleaseOutcome> {
  const { stdout } = await host.run(
    remoteCall("keeper", "change", { name: "lease_release", args: [directory, number, work] }),
  )
  const outcome = /^(released|working|not-held)\b/.exec(stdout)?.[1]
  if (!outcome) throw failure("lease-unreadable", `releasing the lock ${directory} gave no answer`)
  return outcome as ReleaseOutcome
}

/** Renews claim `number` once. Throws `lease-lost` when it does not hold the lock any more. */
export async function renewLease(
  host: Host,
  { directory, number }: Pick<LeaseOptions, "directory" | "number">,
): Promise<void> {
  try {
    await host.run(remoteCall("lease", "change", { name: "lease_renew", args: [directory, number] }))
  } catch (error) {
    throw error instanceof CommandError && error.result.code === 79 ? leaseLost(number, error) : error
  }
}

/** The error of a run whose lock was taken from it. */
export function leaseLost(number: number, cause?: unknown): AppError {
  const why = cause instanceof Error && !(cause instanceof CommandError) ? `: ${cause.message}` : ""
  return failure("lease-lost", `this run no longer holds the deployment lock (its claim was number ${number})${why}`, {
    hint: "Another run took the lock over or a person released it: look at that run, then start this one again, whole (`Re-run all jobs`).",
    cause,
  })
}

interface Heartbeat {
  progress(): void
  stop(): void
}

function heartbeat(renew: () => Promise<void>, ttl: number, log: LeaseOptions["log"]): Heartbeat {
  let seen = performance.now()
  let told = false
  let renewing = false
  const timer = setInterval(() => {
    if (renewing) return // still looking for the host
    if (performance.now() - seen > patience * ttl) {
      if (!told) log?.(`no progress for ${formatDuration(patience * ttl)}: the lock is not renewed until there is some`)
      told = true
      return
    }
    told = false
    renewing = true
    renew()
      .catch((error: unknown) => {
        // Nothing to decide here: a run that has lost its lease is stopped by the fence of its next step.
        if (error instanceof AppError && error.code === "lease-lost") clearInterval(timer)
        log?.(`renewing the lock failed: ${messageOf(error)}`)
      })
      .finally(() => {
        renewing = false
      })
  }, ttl / 4)
  timer.unref()
  return {
    progress() {
      seen = performance.now()
    },
    stop: () => clearInterval(timer),
  }
}

function besideLock(directory: string): string {
  return `${dirname(directory)}/work`
}
