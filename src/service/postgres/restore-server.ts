import { failure, inputError, refusal } from "../../core/errors.ts"
import type { Artifact, DatabaseContents, PostgresContents, ServiceBackup } from "../../core/manifest.ts"
import { compareDatabases, describeDifference, differentContent } from "../../core/manifest-contents.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { RestoreReport, Service } from "../driver.ts"
import { assertUnchanged } from "./assert-unchanged.ts"
import { rowsOf } from "./contents.ts"
import { besideName, stepPart } from "./identifiers.ts"
import { storedAs } from "./packing.ts"
import { type Place, placeOf } from "./place.ts"
import type { Beside, RestoreJob } from "./restore-job.ts"
import { restoreRoles } from "./restore-roles.ts"
import { dropBeside, dropLeftovers, restoreBeside, swapAll } from "./restore-steps.ts"
import { assumedServer, type ServerFacts, serverFor } from "./server-facts.ts"
import { assertRoomInside } from "./space.ts"

/**
 * Restores every database of the backup beside the live one, counts it and compares exactly with the manifest (S9); only
 * when all are right, one transaction renames them all. The replaced databases stay as `NAME__old_XXXXXXXX`. When
 * anything differs the live databases are as they were and the new ones are gone. What a killed restore left is dropped first.
 */
export async function restoreServer(
  service: Service,
  container: Container,
  {
    backup,
    work,
    place = placeOf(container),
  }: { readonly backup: ServiceBackup; readonly work: Work; readonly place?: Place },
): Promise<RestoreReport> {
  const { contents } = backup
  if (contents.kind !== "postgres")
    throw inputError("wrong-kind", `the backup of ${service.name} holds ${contents.kind} data, not a Postgres server's`)
  const assumed = { ...assumedServer, version: contents.version }
  const server = await serverFor(work, { service, container, assumed })
  assertPossible(service, server, contents)
  const job = { service, container, work, server }
  await dropLeftovers(job)
  if (!work.dryRun || container.state === "running") await assertSpace(job, backup, contents)
  await assertUnchanged(job, backup.artifacts)
  await restoreRoles(job, backup.artifacts)

  const restored: Beside[] = []
  try {
    for (const expected of contents.databases) {
      const beside = {
        live: expected.name,
        name: besideName(expected.name, "new", work.id),
        old: besideName(expected.name, "old", work.id),
        exists: server.databases.some((one) => one.name === expected.name),
        step: stepPart(expected.name),
      }
      restored.push({
        ...beside,
        ...(await restoreBeside(job, beside, {
          expected,
          artifact: fileOf(backup, expected),
          properties: propertiesOf(backup, expected),
          place,
        })),
      })
    }
    assertEqual(
      service,
      contents.databases,
      restored.map((one) => one.contents),
    )
  } catch (error) {
    // The error of the restore is the one to hear about; a database that stays is dropped by the next restore.
    await dropBeside(job, contents.databases, error)
    throw error
  }
  await swapAll(job, restored)
  return {
    tables: contents.databases.reduce((sum, { tables }) => sum + tables.length, 0),
    rows: contents.databases.reduce((sum, database) => sum + rowsOf(database), 0),
    keys: 0,
    kept: keptSentence(service, restored),
  }
}

function assertPossible(service: Service, server: ServerFacts, contents: PostgresContents): void {
  if (server.standby)
    throw refusal("postgres-standby", `${service.name} is a standby: it cannot be restored into`, {
      hint: "Restore into the primary.",
    })
  const [from, to] = [Math.floor(contents.version / 10_000), Math.floor(server.version / 10_000)]
  if (from > to)
    throw refusal("postgres-version", `the backup is of PostgreSQL ${from}, ${service.name} runs ${to}`, {
      hint: `Start ${service.name} with an image of PostgreSQL ${from} or later.`,
    })
  const replaced = contents.databases.map(({ name }) => name)
  assertReplaceable(server, replaced)
}

/**
 * Throws on what stops the renaming of a database, or would go on working in the replaced one as if it were live:
 * prepared transactions, logical replication slots, running subscriptions.
 */
export function assertReplaceable(server: ServerFacts, replaced: readonly string[]): void {
  const names = new Set(replaced)
  const busy = server.databases.find(
    (one) => names.has(one.name) && (one.slots.length > 0 || one.subscriptions.length > 0),
  )
  if (busy)
    throw refusal(
      "postgres-replication",
      `"${busy.name}" has ${[...busy.slots.map((one) => `the replication slot "${one}"`), ...busy.subscriptions.map((one) => `the running subscription "${one}"`)].join(" and ")}, which would stay with the replaced database`,
      {
        hint: "Drop the slot (pg_drop_replication_slot) or disable the subscription (ALTER SUBSCRIPTION ... DISABLE), then run again.",
      },
    )
  const prepared = server.databases.filter((one) => names.has(one.name) && one.prepared > 0)
  if (prepared.length > 0)
    throw refusal("postgres-prepared", `"${prepared[0]?.name}" has a prepared transaction, which stops its renaming`, {
      hint: "Commit or roll back what pg_prepared_xacts lists, then run again.",
    })
}

/** The databases lie twice for a while, and each archive once more, unpacked if zstd packed it as a whole. */
async function assertSpace({ service, container }: RestoreJob, backup: ServiceBackup, contents: PostgresContents) {
  const data = contents.databases.reduce((sum, { size }) => sum + size, 0)
  const temporary = Math.max(
    ...contents.databases.map((one) => {
      const { bytes, file } = fileOf(backup, one)
      const stored = storedAs(file)
      // A directory lies packed and unpacked for a moment, about as large.
      return bytes + (stored === "zst" ? one.size : stored === "directory" ? bytes : 0)
    }),
  )
  await assertRoomInside(service, container, { data, temporary })
}

function fileOf(backup: ServiceBackup, { name }: Pick<DatabaseContents, "name">): Artifact {
  const found = backup.artifacts.find((one) => one.role === "database" && one.name === name)
  if (found) return found
  throw failure("manifest-incomplete", `the backup names database "${name}" but no file that holds it`)
}

/** SQL does not say how its database is made: a file beside it does. */
function propertiesOf(backup: ServiceBackup, database: Pick<DatabaseContents, "name">): Artifact {
  const found = backup.artifacts.find((one) => one.role === "properties" && one.name === database.name)
  return found ?? fileOf(backup, database)
}

function assertEqual(
  service: Service,
  expected: readonly DatabaseContents[],
  actual: readonly DatabaseContents[],
): void {
  const differences = compareDatabases(expected, actual)
  const content = differentContent(expected, actual).map((what) => `${what}: other content than its checksum`)
  const all = [...differences.map(describeDifference), ...content]
  if (all.length === 0) return
  const shown = all.slice(0, 20)
  const rest = all.length > shown.length ? [`${all.length - shown.length} more`] : []
  throw failure(
    "restore-differs",
    `what was restored beside ${service.name} is not what was backed up: ${[...shown, ...rest].join("; ")}`,
    { hint: "The live databases were not touched. Use another backup, or this one's copy in the other store." },
  )
}

function keptSentence(service: Service, restored: readonly Beside[]): string {
  const old = restored.filter((one) => one.exists).map((one) => `"${one.old}"`)
  const kept =
    old.length === 0 ? "There was nothing to replace" : `The replaced data of ${service.name} is in ${old.join(", ")}`
  const subscriptions = restored.filter((one) => one.subscriptions > 0).map((one) => `"${one.live}"`)
  return subscriptions.length === 0
    ? `${kept}.`
    : `${kept}; subscriptions of ${subscriptions.join(", ")} came back stopped.`
}
