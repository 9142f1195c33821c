import type { Fingerprint } from "../../core/fingerprint.ts"
import { persistentKeys } from "../../core/key-counts.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { askReadyServer } from "./wait-server.ts"

/**
 * Keys without an expiry, by database. Keys with one are left out: time alone removes them, so their number is not a
 * fact that a restart must keep. A server that loads its data is waited for.
 */
export async function fingerprintServer(service: Service, container: Container): Promise<Fingerprint> {
  const { keyspace } = await askReadyServer(service, container)
  const counts = [...persistentKeys(keyspace)].map(([database, keys]) => [`db${database}.keys`, keys] as const)
  return { service: service.name, same: {}, atLeast: Object.fromEntries(counts) }
}
