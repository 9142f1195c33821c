import { refusal } from "../../core/errors.ts"
import type { Check } from "../../core/health.ts"
import type { Service } from "../driver.ts"
import { commandRefused, refusedOf } from "./refused-command.ts"
import type { ServerAnswer } from "./server-answer.ts"

/** Where a replica's data comes from. */
export interface Replication {
  /** `HOST:PORT`. */
  readonly master: string
  /** Whether what happens there still comes in. */
  readonly isUp: boolean
  /** One phrase: the link's state, and since when. */
  readonly detail: string
}

/** Undefined for a master. Dragonfly can be set up to call its role `replica`. */
export function replicationOf({ fields }: ServerAnswer): Replication | undefined {
  if (fields.role !== "slave" && fields.role !== "replica") return undefined
  const master = `${fields.master_host}:${fields.master_port}`
  const isUp = fields.master_link_status === "up"
  return { master, isUp, detail: `the link to its master ${master} is ${isUp ? "up" : "down"}${since(fields, isUp)}` }
}

/** Redis and Valkey tell how long the link is down, with -1 for always; Dragonfly only when it last heard of its master. */
function since(fields: ServerAnswer["fields"], isUp: boolean): string {
  const { master_last_io_seconds_ago: heard, master_link_down_since_seconds: down } = fields
  const syncs = fields.master_sync_in_progress === "1" ? ", a full copy is on its way" : ""
  const seconds = Number(isUp ? heard : (down ?? heard))
  if (isUp) return seconds >= 0 ? `, last heard of ${seconds} s ago` : ""
  return `${seconds >= 0 ? ` since ${seconds} s` : ", and was not up since the server started"}${syncs}`
}

/** `failed` where a replica does not get its master's changes any more; nothing to look at for a master. */
export function replicationChecks(answer: ServerAnswer): readonly Check[] {
  const found = replicationOf(answer)
  return found ? [{ name: "replication", state: found.isUp ? "ok" : "failed", detail: found.detail }] : []
}

/**
 * Refuses a replica, for whatever is put into it its master overwrites, at once or when the link is up again; and a server
 * that may not be asked whether it is one.
 */
export function assertMaster(service: Service, answer: ServerAnswer): void {
  const { name } = service
  const refused = refusedOf(answer)
  if (refused) throw commandRefused(service, refused)
  const found = replicationOf(answer)
  if (!found) return
  throw refusal("redis-replica", `${name} is a replica of ${found.master}, which overwrites whatever is put into it`, {
    hint: `Do it on the master. If ${name} is to be the master from now on: REPLICAOF NO ONE, and take replicaof out of its configuration.`,
  })
}

/**
 * What a person should know of a replica's backup; undefined for a master's. Refuses one that lost its master: its data is
 * as old as that, and a backup's age is told by when it was made.
 */
export function replicaAdvice({ name }: Service, answer: ServerAnswer): string | undefined {
  const found = replicationOf(answer)
  if (!found) return undefined
  if (found.isUp)
    return `${name} is a replica, its backup is as its master was when it last heard of it: ${found.detail}.`
  throw refusal("redis-replica-stale", `${name} is a replica, and ${found.detail}: its data is as old as that`, {
    hint: `Back up the master, or bring the link back. If the master is lost and ${name} takes its place: REPLICAOF NO ONE, then run again.`,
  })
}
