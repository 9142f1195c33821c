import { AppError, messageOf } from "../core/errors.ts"
import { compareFingerprints, type Fingerprint } from "../core/fingerprint.ts"
import { HostError } from "../host/host.ts"
import { proveUnreadable } from "./make-serving.ts"
import { holdsData, type StackService } from "./stack-services.ts"
import { fingerprints } from "./start-compared.ts"
import type { Tools } from "./tools.ts"

/** Whether it is restored while it is stopped, and saves as it stops. */
export function isKeyStore(one: StackService): boolean {
  return holdsData(one) && one.service.kind !== "postgres"
}

/** Whether this service serves what it held. False also where it does not answer. */
export async function isWhole(one: StackService, before: readonly Fingerprint[]): Promise<boolean> {
  try {
    return await isSame(one, before)
  } catch (error) {
    if (error instanceof HostError) throw error
    return false // It does not answer: nothing says that what it would save is what it had.
  }
}

/**
 * Whether a store of keys has lost what it held: it serves less, or its log says that it cannot read what it has. Throws
 * `not-serving` where neither that nor the opposite is known: a backup restored over data that only was not asked would
 * lose what was written since.
 */
export async function hasLost(tools: Tools, one: StackService, before: readonly Fingerprint[]): Promise<boolean> {
  try {
    return !(await isSame(one, before))
  } catch (error) {
    if (error instanceof HostError || !(error instanceof AppError)) throw error
    tools.log.warning(`The log of ${one.service.name} says: ${await proveUnreadable(tools, one, messageOf(error))}`)
    return true
  }
}

async function isSame(one: StackService, before: readonly Fingerprint[]): Promise<boolean> {
  const own = before.filter(({ service }) => service === one.service.name)
  return compareFingerprints(own, await fingerprints([one])).length === 0
}
