import type { Fingerprint } from "../../core/fingerprint.ts"
import { persistentKeys, totalKeys } from "../../core/key-counts.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { portOf, redisScript } from "./ask-server.ts"
import type { ServerAnswer } from "./server-answer.ts"
import { askReadyServer } from "./wait-server.ts"

/**
 * Keys without an expiry, by database: time alone does not change their number. Of the others only whether there are any. A
 * server that loads its data is waited for.
 */
export async function fingerprintServer(service: Service, container: Container): Promise<Fingerprint> {
  return fingerprintOf(service, await askReadyServer(service, container))
}

/**
 * The same of a server that is about to be stopped, and what its next start must bring back, beside: keys with an expiry, if
 * it comes before some have run out, and nothing whatever of no keys.
 */
export async function fingerprintBeforeStop(service: Service, container: Container): Promise<Fingerprint> {
  const answer = await askReadyServer(service, container)
  const found = fingerprintOf(service, answer)
  if (totalKeys(answer.keyspace) === 0) return { ...found, same: {} }
  if (found.lasting === undefined) return found
  const command = redisScript("redis-lasting", { effect: "read", args: [container.id, portOf(service), lookSeconds] })
  const { stdout } = await service.host.run(command, { timeout: lookSeconds * 1000 + 60_000 })
  return { ...found, lasting: parseLasting(stdout) }
}

/** Seconds for looking how long keys last: a store of many databases is compared as far as that goes. */
const lookSeconds = 10
/** The year 9999: Redis takes an expiry that no date can tell. */
const latestTime = 253_402_300_799

/** Reads the lines of `redis-lasting.sh`: of each database the latest end. */
export function parseLasting(text: string): Readonly<Record<string, number>> {
  const latest: Record<string, number> = {}
  for (const [, database, seconds] of text.matchAll(/^(\d+) (\d+)$/gm)) {
    const fact = expiringKeys(database ?? "")
    latest[fact] = Math.min(latestTime, Math.max(latest[fact] ?? 0, Number(seconds)))
  }
  return latest
}

/**
 * With append-only files off, the snapshot is what it loads, and the next start has to: with them on it loads nothing, or
 * what they held at some earlier time, be it as many keys.
 */
function fingerprintOf({ name }: Service, { keyspace, fields }: ServerAnswer): Fingerprint {
  const counts = [...persistentKeys(keyspace)].map(([database, keys]) => [`db${database}.keys`, keys] as const)
  const same = fields.aof_enabled === "0" ? { "loads-snapshot": "yes" } : {}
  const found = { service: name, same, atLeast: Object.fromEntries(counts) }
  const at = Number(fields.asked_at || Number.NaN)
  if (Number.isNaN(at)) return found
  // How long they last is asked only before a stop: here it says no more than that there are some.
  const expiring = keyspace.filter(({ expires }) => expires > 0).map(({ database }) => expiringKeys(database))
  const lasting = expiring.length === 0 ? {} : { lasting: Object.fromEntries(expiring.map((fact) => [fact, at])) }
  return { ...found, ...lasting, at }
}

function expiringKeys(database: number | string): string {
  return `db${database}.expiring-keys`
}
