import type { ServiceKind } from "../../core/config.ts"
import type { Keyspace } from "../../core/key-counts.ts"

export type RedisKind = Extract<ServiceKind, "dragonfly" | "redis" | "valkey">

/** What a redis-compatible server says of itself: the reply to PING, and INFO. */
export interface ServerAnswer {
  /** `PONG`, an error reply such as `LOADING ...` or `NOAUTH ...`, or empty. */
  readonly ping: string
  /** The error reply to INFO; empty when there was none. */
  readonly info: string
  readonly fields: Readonly<Record<string, string>>
  readonly keyspace: Keyspace
}

/** Reads the output of `redis-probe.sh`: the first line is the reply to PING, INFO follows. */
export function parseAnswer(text: string): ServerAnswer {
  const [ping = "", ...rest] = text.replaceAll("\r", "").split("\n")
  const pairs = rest.flatMap((line) => {
    const at = line.indexOf(":")
    return at > 0 && /^[a-z0-9_]+$/i.test(line.slice(0, at)) ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
  })
  const info = rest.find((line) => /^(ERR|NOPERM) /.test(line)) ?? ""
  return { ping: ping.trim(), info, fields: Object.fromEntries(pairs), keyspace: parseKeyspace(rest.join(" ")) }
}

/** The databases that hold keys, from `db0:keys=3,expires=1,...` wherever it stands. */
export function parseKeyspace(text: string): Keyspace {
  const found = new Map<number, { database: number; keys: number; expires: number }>()
  for (const [, database, keys, expires] of text.matchAll(/\bdb(\d+):keys=(\d+),expires=(\d+)/g)) {
    if (Number(keys) > 0) {
      found.set(Number(database), { database: Number(database), keys: Number(keys), expires: Number(expires) })
    }
  }
  return [...found.values()].sort((a, b) => a.database - b.database)
}

/** Which product answers, and its own version: Valkey and Dragonfly also give a `redis_version` that is not theirs. */
export function productOf({ fields }: ServerAnswer): { readonly product: RedisKind; readonly version: string } {
  const { dragonfly_version: dragonfly, valkey_version: valkey, redis_version: redis = "" } = fields
  if (dragonfly !== undefined) return { product: "dragonfly", version: dragonfly.replace(/^df-v?|^v/, "") }
  if (valkey !== undefined) return { product: "valkey", version: valkey }
  return { product: "redis", version: redis }
}
