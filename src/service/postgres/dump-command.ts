import type { Container } from "../../docker/stack.ts"
import { type Command, script } from "../../shell/command.ts"
import { connectionTo } from "./identifiers.ts"
import { insideScript } from "./inside.ts"
import { type Packing, packed } from "./packing.ts"
import { type Place, placedScript, placeOf } from "./place.ts"
import { blockersSql, checksumSql, countSql } from "./sql.ts"

export interface DatabaseDump {
  readonly nonce: string
  readonly database: string
  readonly packing: Packing
  /** Absolute path on the host. */
  readonly path: string
  /** Names the sessions, so that none of them is left. */
  readonly run: string
  /** Milliseconds that it waits for a table that is locked. */
  readonly lockLimit: number
  readonly checksums: boolean
  /** Bytes of the database. */
  readonly size: number
}

export function dumpDatabaseCommand(place: Place, dump: DatabaseDump): Command {
  const { nonce, database, packing, path, run, lockLimit, checksums, size } = dump
  return script("change", placedScript("postgres-dump"), [
    ...place.wordsFor(size),
    insideScript("dump"),
    insideScript("check"),
    nonce,
    path,
    packed(packing).stored,
    connectionTo(database),
    sessionName(run),
    packing,
    lockLimit,
    checksums ? checksumSql : countSql,
    blockersSql,
  ])
}

export function dumpGlobalsCommand(
  container: Container,
  { nonce, path, lockLimit }: Pick<DatabaseDump, "nonce" | "path" | "lockLimit">,
): Command {
  return script("change", placedScript("postgres-dump"), [
    ...placeOf(container).wordsFor(0),
    insideScript("globals"),
    insideScript("check-globals"),
    nonce,
    path,
    "globals",
    lockLimit,
  ])
}

/** The archive of a database without its data: how it is made, which SQL alone does not say. */
export function dumpPropertiesCommand(
  container: Container,
  { nonce, database, path, lockLimit }: Pick<DatabaseDump, "nonce" | "database" | "path" | "lockLimit">,
): Command {
  return script("change", placedScript("postgres-dump"), [
    ...placeOf(container).wordsFor(0),
    insideScript("properties"),
    insideScript("check"),
    nonce,
    path,
    "archive",
    connectionTo(database),
    lockLimit,
  ])
}

/** An application name of at most 63 bytes that stands in SQL and shell as it is. */
export function sessionName(run: string): string {
  return `infra-actions-${run.replaceAll(/[^A-Za-z0-9-]/g, "-")}`.slice(0, 63)
}
