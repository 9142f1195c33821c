import { AppError } from "../../core/errors.ts"
import { type Check, warned } from "../../core/health.ts"
import type { DatabaseContents, ServiceBackup } from "../../core/manifest.ts"
import { qualifiedTable } from "../../core/table-name.ts"
import type { Container } from "../../docker/stack.ts"
import { HostError } from "../../host/host.ts"
import type { Service, VerifyOptions } from "../driver.ts"
import { compareWithBackup } from "./compare-with-backup.ts"
import { countDatabases } from "./count-databases.ts"
import { ask } from "./inside.ts"
import { chosenDatabases, readServer } from "./server-facts.ts"
import { foreignKeysSql, roundTripSql } from "./sql.ts"

/**
 * Critical tables, counts against a backup, foreign keys, sample queries and a write that is read back. What could not
 * be looked at is `unknown` or `failed`, with the reason, never `ok`. Rows themselves are never shown. `restored`: the data just
 * came from the backup, whose databases are looked at; only what contradicts it is `failed`.
 */
export async function verifyServer(
  service: Service,
  container: Container,
  backup: ServiceBackup | undefined,
  { restored = false }: VerifyOptions = {},
): Promise<readonly Check[]> {
  const name = (what: string) => `${service.name} ${what}`
  const unseen = restored ? "unknown" : "failed"
  const expected = (checks: readonly Check[]) => (restored ? checks.map(warned) : checks)
  try {
    const held = restored && backup?.contents.kind === "postgres" ? backup.contents.databases : undefined
    const databases = (held ?? chosenDatabases(service, await readServer(service, container))).map((one) => one.name)
    const counts = await countDatabases(service, container, databases)
    const groups = await Promise.all([
      compareWithBackup(backup, counts),
      criticalTables(service.config["critical-tables"], counts, held),
      guarded("foreign keys", () => foreignKeys(service, container, databases), unseen),
      guarded("round trip", () => roundTrip(service, container)).then(expected),
      ...service.config["sample-queries"].map((query, at) => {
        const label = `sample query ${at + 1}`
        return guarded(label, () =>
          sampleQuery(service, container, { query, label, database: service.config.databases?.[0] ?? "" }),
        ).then(expected)
      }),
    ])
    return groups.flat().map((check) => ({ ...check, name: name(check.name) }))
  } catch (error) {
    return [{ name: name("data"), state: unseen, detail: toldBy(error) }]
  }
}

/**
 * Each must be in one of the databases and hold rows. What the backup that they came from, when given, did not hold either
 * contradicts nothing and is a warning.
 */
export function criticalTables(
  wanted: readonly string[],
  databases: readonly DatabaseContents[],
  backup?: readonly DatabaseContents[],
): readonly Check[] {
  return wanted.map((table): Check => {
    const name = `table ${table}`
    const rows = rowsIn(databases, table)
    if (rows !== undefined && rows > 0) return { name, state: "ok", detail: `${rows} rows` }
    const detail = rows === undefined ? "does not exist" : "no rows, and it is listed in critical-tables"
    if (backup && rowsIn(backup, table) === rows)
      return { name, state: "warning", detail: `${detail}; the backup was made so` }
    return { name, state: "failed", detail }
  })
}

/** Undefined when none of the databases has the table. */
function rowsIn(databases: readonly DatabaseContents[], table: string): number | undefined {
  const full = qualifiedTable(table)
  const found = databases.flatMap((one) => one.tables.filter((held) => `${held.schema}.${held.name}` === full))
  return found.length > 0 ? found.reduce((sum, one) => sum + one.rows, 0) : undefined
}

/** What the server says of a key; `broken`: rows of a sample point at nothing. */
export interface ForeignKey {
  readonly table: string
  readonly name: string
  readonly valid: boolean
  readonly broken: boolean
}

async function foreignKeys(
  service: Service,
  container: Container,
  databases: readonly string[],
): Promise<readonly Check[]> {
  const answers = await ask(service, container, foreignKeysSql, { databases, limit: service.config.timeout })
  const keys = answers.flat().map((line) => JSON.parse(line) as ForeignKey)
  return [judgeForeignKeys(keys)]
}

/** Only of a validated key does Postgres say that every row points at something; others may always have had orphans. */
export function judgeForeignKeys(keys: readonly ForeignKey[]): Check {
  const name = "foreign keys"
  const label = (key: ForeignKey) => `${key.table}.${key.name}`
  const broken = keys.filter((key) => key.broken && key.valid).map(label)
  if (broken.length > 0) return { name, state: "failed", detail: `rows point at nothing: ${broken.join(", ")}` }
  const unchecked = keys
    .filter((key) => !key.valid)
    .map((key) => `${label(key)}${key.broken ? " (rows point at nothing)" : ""}`)
  if (unchecked.length > 0) return { name, state: "warning", detail: `never validated: ${unchecked.join(", ")}` }
  return { name, state: "ok", detail: `${keys.length} valid, a sample of each followed` }
}

async function roundTrip(service: Service, container: Container): Promise<readonly Check[]> {
  const [rows = []] = await ask(service, container, roundTripSql, { databases: [""], limit: service.config.timeout })
  const good = rows.length === 1 && rows[0] === "written"
  return [
    {
      name: "round trip",
      state: good ? "ok" : "failed",
      detail: good ? "a row was written and read back" : "the row did not come back",
    },
  ]
}

interface Sample {
  readonly query: string
  readonly label: string
  readonly database: string
}

/** In a transaction that cannot write. */
async function sampleQuery(service: Service, container: Container, { query, label, database }: Sample) {
  const sql = `begin read only;\nselect count(*) from (${query.trim().replace(/;\s*$/, "")}\n) sample;\ncommit;`
  const [[rows = "0"] = []] = await ask(service, container, sql, {
    databases: [database],
    limit: service.config.timeout,
    ownPath: true,
  })
  return [{ name: label, state: Number(rows) > 0 ? ("ok" as const) : ("failed" as const), detail: `${rows} rows` }]
}

async function guarded(
  name: string,
  look: () => Promise<readonly Check[]>,
  unseen: Check["state"] = "failed",
): Promise<readonly Check[]> {
  try {
    return await look()
  } catch (error) {
    return [{ name, state: unseen, detail: toldBy(error) }]
  }
}

/** The message of a refusal or failure of the service; a failure of the host, or a mistake of ours, goes on up. */
function toldBy(error: unknown): string {
  if (error instanceof AppError && !(error instanceof HostError)) return error.message
  throw error
}
