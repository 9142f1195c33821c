import { backupTime } from "../../src/core/backup-id.ts"
import type { DrillRecord } from "../../src/core/drill-record.ts"
import type { Artifact, Manifest, ServiceBackup } from "../../src/core/manifest.ts"

/** The manifest of a backup on the host alone, of a key store without keys unless told; made when its id says. */
export function manifestOf(id: string, more: Partial<Manifest> = {}): Manifest {
  return {
    format: 1,
    id,
    project: "shop",
    environment: "test",
    created: (backupTime(id) ?? new Date("2026-01-31T02:00:00Z")).toISOString(),
    run: { id: "1", url: "", actor: "tester" },
    encrypted: false,
    services: [keysOf("cache")],
    storage: { local: "success", s3: "off", objects: [] },
    ...more,
  }
}

interface Keys {
  readonly keys: number
  readonly expires?: number
}

/** What a key store's backup holds: the keys of each logical database, from 0 on. */
export function keysOf(
  service: string,
  counts: readonly Keys[] = [],
  artifacts: readonly Artifact[] = [],
): ServiceBackup {
  const keyspace = counts.map((one, database) => ({ database, expires: 0, ...one }))
  const contents = { kind: "redis", product: "redis", version: "7.0.15", keyspace } as const
  return { service, image: "redis:7", artifacts: [...artifacts], contents }
}

/** What a Postgres server's backup holds: by database, the rows of each table in `public`. */
export function postgresOf(
  service: string,
  databases: Readonly<Record<string, Readonly<Record<string, number>>>>,
  artifacts: readonly Artifact[] = [],
): ServiceBackup {
  const counted = Object.entries(databases).map(([name, rows]) => ({
    name,
    size: 8192,
    tables: Object.entries(rows).map(([table, count]) => ({ schema: "public", name: table, rows: count })),
    largeObjects: 0,
  }))
  const server = { kind: "postgres", version: 170_000, systemIdentifier: "1", dataChecksums: true } as const
  return { service, image: "postgres:17", artifacts: [...artifacts], contents: { ...server, databases: counted } }
}

/** The record of a good drill of the copy on the host. */
export function recordOf(backup: string, id: string): DrillRecord {
  const time = `${id.slice(15, 17)}:${id.slice(17, 19)}:${id.slice(19)}`
  return {
    format: 1,
    id,
    project: "shop",
    environment: "test",
    backup,
    source: "local",
    where: "host",
    started: `${id.slice(6, 10)}-${id.slice(10, 12)}-${id.slice(12, 14)}T${time}Z`,
    run: { id: "1", url: "", actor: "tester" },
    result: "success",
    proven: "restored",
    reason: "",
    rtoSeconds: 3.5,
    rpoSeconds: 60,
    services: [],
  }
}
