import { AppError } from "../../core/errors.ts"
import type { Check } from "../../core/health.ts"
import type { DatabaseContents, ServiceBackup } from "../../core/manifest.ts"
import { qualifiedTable } from "../../core/table-name.ts"
import type { Container } from "../../docker/stack.ts"
import { HostError } from "../../host/host.ts"
import type { Service } from "../driver.ts"
import { compareWithBackup } from "./compare-with-backup.ts"
import { countDatabases } from "./count-databases.ts"
import { ask } from "./inside.ts"
import { chosenDatabases, readServer } from "./server-facts.ts"
import { foreignKeysSql, roundTripSql } from "./sql.ts"

/**
 * Critical tables, counts against a backup, foreign keys, sample queries and a write that is read back. What could not
 * be looked at is `unknown` or `failed`, with the reason, never `ok`. Rows themselves are never shown.
 */
export async function verifyServer(
  service: Service,
  container: Container,
  backup: ServiceBackup | undefined,
): Promise<readonly Check[]> {
  const name = (what: string) => `${service.name} ${what}`
  try {
    const databases = chosenDatabases(service, await readServer(service, container)).map((one) => one.name)
    const counts = await countDatabases(service, container, databases)
    const groups = await Promise.all([
      compareWithBackup(backup, counts),
      criticalTables(service.config["critical-tables"], counts),
      guarded("foreign keys", () => foreignKeys(service, container, databases)),
      guarded("round trip", () => roundTrip(service, container)),
      ...service.config["sample-queries"].map((query, at) => {
        const label = `sample query ${at + 1}`
        return guarded(label, () =>
          sampleQuery(service, container, { query, label, database: service.config.databases?.[0] ?? "" }),
        )
      }),
    ])
    return groups.flat().map((check) => ({ ...check, name: name(check.name) }))
  } catch (error) {
    return [{ name: name("data"), state: "failed", detail: toldBy(error) }]
  }
}

/** Each must be in one of the databases and hold rows. */
export function criticalTables(wanted: readonly string[], databases: readonly DatabaseContents[]): readonly Check[] {
  return wanted.map((table): Check => {
    const full = qualifiedTable(table)
    const found = databases.flatMap((one) => one.tables.filter((held) => `${held.schema}.${held.name}` === full))
    const rows = found.reduce((sum, one) => sum + one.rows, 0)
    if (found.length === 0) return { name: `table ${table}`, state: "failed", detail: "does not exist" }
    return {
      name: `table ${table}`,
      state: rows > 0 ? "ok" : "failed",
      detail: rows > 0 ? `${rows} rows` : "no rows, and it is listed in critical-tables",
    }
  })
}

interface ForeignKey {
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
  const label = (key: ForeignKey) => `${key.table}.${key.name}`
  const broken = keys.filter((key) => key.broken)
  const unchecked = keys.filter((key) => !key.valid)
  if (broken.length > 0)
    return [{ name: "foreign keys", state: "failed", detail: `rows point at nothing: ${broken.map(label).join(", ")}` }]
  if (unchecked.length > 0)
    return [{ name: "foreign keys", state: "warning", detail: `never validated: ${unchecked.map(label).join(", ")}` }]
  return [{ name: "foreign keys", state: "ok", detail: `${keys.length} valid, a sample of each followed` }]
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

async function guarded(name: string, look: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await look()
  } catch (error) {
    return [{ name, state: "failed", detail: toldBy(error) }]
  }
}

/** The message of a refusal or failure of the service; a failure of the host, or a mistake of ours, goes on up. */
function toldBy(error: unknown): string {
  if (error instanceof AppError && !(error instanceof HostError)) return error.message
  throw error
}
