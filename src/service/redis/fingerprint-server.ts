import type { Fingerprint } from "../../core/fingerprint.ts"
import { persistentKeys } from "../../core/key-counts.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import type { ServerAnswer } from "./server-answer.ts"
import { askReadyServer } from "./wait-server.ts"

/**
 * Keys without an expiry, by database. Keys with one are left out: time alone removes them, so their number is not a
 * fact that a restart must keep. A server that loads its data is waited for.
 */
export async function fingerprintServer(service: Service, container: Container): Promise<Fingerprint> {
  return fingerprintOf(service, await askReadyServer(service, container))
}

/**
 * The same of what it has answered. With append-only files off, the snapshot is what it loads, and the next start has to:
 * with them on it loads nothing, or what they held at some earlier time, be it as many keys.
 */
export function fingerprintOf({ name }: Service, { keyspace, fields }: ServerAnswer): Fingerprint {
  const counts = [...persistentKeys(keyspace)].map(([database, keys]) => [`db${database}.keys`, keys] as const)
  const same = fields.aof_enabled === "0" ? { "loads-snapshot": "yes" } : {}
  return { service: name, same, atLeast: Object.fromEntries(counts) }
}
