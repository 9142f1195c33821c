import type { Fingerprint } from "../../core/fingerprint.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { countDatabases } from "./count-databases.ts"
import { readServer } from "./server-facts.ts"

/**
 * What is the same before and after a restart on the same data: the cluster's system identifier (a fresh initdb gives
 * another one) and the exact rows of every table of every database. Only meaningful while nobody writes.
 */
export async function fingerprintServer(service: Service, container: Container): Promise<Fingerprint> {
  const server = await readServer(service, container)
  const names = server.databases.filter((one) => one.connectable).map((one) => one.name)
  const databases = await countDatabases(service, container, names)
  const counts = databases.flatMap(({ name, tables, largeObjects }) => [
    [`${name}.large-objects`, String(largeObjects)] as const,
    ...tables.map((table) => [`${name}.${table.schema}.${table.name}.rows`, String(table.rows)] as const),
  ])
  return {
    service: service.name,
    facts: { "system-identifier": server.systemIdentifier, ...Object.fromEntries(counts) },
  }
}
