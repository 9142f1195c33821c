import { type LeaseState, parseClaim } from "../core/lock-rules.ts"
import { remoteCall } from "../remote/call.ts"
import type { Host } from "./host.ts"

/** Milliseconds without renewal after which a lease is stale (S4). */
export const leaseTtl = 600_000

/** Who holds the lock of `directory`; undefined when nobody does. */
export async function readLease(host: Host, directory: string): Promise<LeaseState | undefined> {
  const claim = await readClaim(host, directory)
  return claim?.state === "free" ? undefined : claim
}

/** The newest claim of the lock, released or not; undefined when there never was one. */
export async function readClaim(host: Host, directory: string): Promise<LeaseState | undefined> {
  const { stdout } = await host.run(
    remoteCall("lease", "read", { name: "lease_read", args: [directory, leaseTtl / 1000] }),
  )
  return parseClaim(stdout)
}

/** Ends claim `number` for its holder, on a person's word. False when it did not hold the lock. */
export async function forceReleaseLease(host: Host, directory: string, number: number): Promise<boolean> {
  const { stdout } = await host.run(remoteCall("lease", "change", { name: "lease_force", args: [directory, number] }))
  return stdout.trim() === "forced"
}
