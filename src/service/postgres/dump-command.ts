import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { type Command, script } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { connectionTo } from "./identifiers.ts"
import { execInside, insideScript } from "./inside.ts"
import { markedLines, newNonce, valuesOf } from "./marked-lines.ts"
import { blockersSql, checksumSql, countSql } from "./sql.ts"

/** How an archive is packed: by pg_dump with zstd, by zstd behind it, or by pg_dump with gzip. */
export const packings = ["zstd", "zstd-pipe", "gzip"] as const
export type Packing = (typeof packings)[number]

/** The quickest packing that this container's programs know (gzip costs most of a dump's time). */
export async function archiveFormat(service: Service, container: Container): Promise<Packing> {
  const nonce = newNonce()
  const { stdout } = await service.host.run(execInside("read", container, { name: "format", args: [nonce] }))
  const [format] = valuesOf(markedLines(stdout, nonce), "format")
  const known = packings.find((one) => one === format)
  if (known) return known
  throw failure("postgres-answer", `the container of ${service.name} did not say how it can pack a dump`)
}

export interface DatabaseDump {
  readonly nonce: string
  readonly database: string
  readonly format: Packing
  /** Absolute path on the host. */
  readonly path: string
  /** Names the sessions, so that none of them is left. */
  readonly run: string
  /** Milliseconds that it waits for a table that is locked. */
  readonly lockLimit: number
  readonly checksums: boolean
}

export function dumpDatabaseCommand(container: Container, dump: DatabaseDump): Command {
  const { nonce, database, format, path, run, lockLimit, checksums } = dump
  return script("change", remoteScript("postgres-dump"), [
    container.id,
    insideScript("dump"),
    insideScript("check"),
    nonce,
    path,
    format === "zstd-pipe" ? "zst" : "plain",
    connectionTo(database),
    sessionName(run),
    format,
    lockLimit,
    checksums ? checksumSql : countSql,
    blockersSql,
  ])
}

export function dumpGlobalsCommand(
  container: Container,
  { nonce, path, lockLimit }: Pick<DatabaseDump, "nonce" | "path" | "lockLimit">,
): Command {
  return script("change", remoteScript("postgres-dump"), [
    container.id,
    insideScript("globals"),
    insideScript("check-globals"),
    nonce,
    path,
    "plain",
    lockLimit,
  ])
}

/** An application name of at most 63 bytes that stands in SQL and shell as it is. */
export function sessionName(run: string): string {
  return `infra-actions-${run.replaceAll(/[^A-Za-z0-9-]/g, "-")}`.slice(0, 63)
}
