import { redis, sql } from "../job/recreate-ground.ts"
import type { Ground } from "./ground.ts"
import { good } from "./loop.ts"

/** The id of a backup that lacks what `write` writes. */
export async function backUpWithout(ground: Ground): Promise<string> {
  sql(ground.stack, "delete from mark")
  redis(ground.stack, "del", "mark")
  return String((await good(ground, ["backup"])).outputs["backup-id"])
}

/** What the backup does not hold. */
export function write({ stack }: Ground): void {
  sql(stack, "delete from mark; insert into mark values ('later')")
  redis(stack, "set", "mark", "later")
}

/** What of that the stores hold. */
export function serving({ stack }: Ground) {
  return { postgres: sql(stack, "select word from mark"), redis: redis(stack, "get", "mark") }
}

/** Databases that a restore has not swapped in. */
export function halfRestored({ stack }: Ground): string {
  return sql(
    stack,
    "select string_agg(name, ' ') from (select datname::text from pg_database where datname ~ '__new_' union select rolname from pg_roles where shobj_description(oid, 'pg_authid') ~ '^infra-actions') left_over (name)",
  )
}
