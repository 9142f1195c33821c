import { randomUUID } from "node:crypto"
import { type Check, warned } from "../../core/health.ts"
import { type Keyspace, keyRanges, persistentKeys } from "../../core/key-counts.ts"
import type { KeysContents, ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service, VerifyOptions } from "../driver.ts"
import { askServer, explainPing, portOf, redisScript } from "./ask-server.ts"
import { replicationChecks } from "./replication.ts"

/** Keys against a backup's, and a key written, read and removed; of a replica, which takes no writes, its link to its master. */
export async function verifyServer(
  service: Service,
  container: Container,
  backup: ServiceBackup | undefined,
  { restored = false }: VerifyOptions = {},
): Promise<readonly Check[]> {
  const answer = await askServer(service, container)
  if (answer.ping !== "PONG") return [{ name: "ping", state: "failed", detail: explainPing(answer) }]
  const known = backup !== undefined && backup.contents.kind !== "postgres" ? backup.contents : undefined
  const link = replicationChecks(answer)
  const own = link.length > 0 ? link : [await roundTrip(service, container)]
  return [...(known === undefined ? [] : compareKeys(known, answer.keyspace)), ...(restored ? own.map(warned) : own)]
}

/**
 * Keys without an expiry by database. Fewer than the backup has at least is a warning, since an application may delete
 * keys; none left of some is a failure.
 */
export function compareKeys(backup: KeysContents, now: Keyspace): readonly Check[] {
  const current = persistentKeys(now)
  const checks = [...keyRanges(backup)].map(([database, { least, most }]): Check => {
    const found = current.get(database) ?? 0
    const state = found >= least ? "ok" : found === 0 ? "failed" : "warning"
    const held = least === most ? least : `${least} to ${most}`
    return { name: `keys db${database}`, state, detail: `${found} keys without expiry, ${held} in the backup` }
  })
  return checks.length > 0 ? checks : [{ name: "keys", state: "ok", detail: "the backup holds no key without expiry" }]
}

// The scratch key is ours alone and goes away by itself: nothing that anybody could miss is changed.
async function roundTrip(service: Service, container: Container): Promise<Check> {
  const key = `infra-actions:verify:${randomUUID()}`
  const { stdout } = await service.host.run(
    redisScript("redis-round-trip", { effect: "read", args: [container.id, portOf(service), key] }),
    { timeout: service.config.timeout + 5000, allow: "any" },
  )
  const reply = stdout.trim()
  if (reply === "ok") return { name: "round-trip", state: "ok", detail: "a key was written, read and removed" }
  return { name: "round-trip", state: "failed", detail: reply.slice(0, 200) || "no answer" }
}
