import { failure, inputError, refusal } from "../../core/errors.ts"
import type { Artifact, DatabaseContents, PostgresContents, ServiceBackup } from "../../core/manifest.ts"
import { compareDatabases, describeDifference, differentContent } from "../../core/manifest-contents.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { InPlace, RestoreReport, Service } from "../driver.ts"
import { assertReplaceable } from "./assert-replaceable.ts"
import { assertUnchanged } from "./assert-unchanged.ts"
import { rowsOf } from "./contents.ts"
import { displacedIn } from "./displaced.ts"
import { besideName, stepPart } from "./identifiers.ts"
import { ask } from "./inside.ts"
import { storedAs } from "./packing.ts"
import { type Place, placeOf } from "./place.ts"
import { giveWay, type Incoming, mustGiveWay } from "./restore-in-place.ts"
import type { BesideNames, Restored, RestoreJob } from "./restore-job.ts"
import { caveatOf, keptSentence } from "./restore-report.ts"
import { restoreRoles } from "./restore-roles.ts"
import { dropBeside, dropLeftovers, leftoversOf, restoreBeside, swapAll } from "./restore-steps.ts"
import { assumedServer, readServer, serverFor } from "./server-facts.ts"
import { type Lack, roomInside } from "./space.ts"
import { assertBringsBack } from "./unrestorable-extensions.ts"

interface RestoreOptions {
  readonly backup: ServiceBackup
  readonly work: Work
  readonly place?: Place
  readonly inPlace?: InPlace
}

/**
 * Restores every database of the backup beside the live one, counts it and compares exactly with the manifest (S9); only
 * when all are right, one transaction renames them all. The replaced databases stay as `NAME__old_XXXXXXXX`. When
 * anything differs the live databases are as they were and the new ones are gone. What a killed restore left is dropped first.
 * Where the disk has no room for both and `inPlace` is given, the live databases are dropped before: see `giveWay`.
 */
export async function restoreServer(
  service: Service,
  container: Container,
  { backup, work, place = placeOf(container), inPlace }: RestoreOptions,
): Promise<RestoreReport> {
  const contents = contentsOf(service, backup)
  const assumed = { ...assumedServer, version: contents.version }
  const server = await serverFor(work, { service, container, assumed })
  const job = { service, container, work, server }
  await assertPossible(job, contents)
  await dropLeftovers(job)
  const incoming = incomingOf(job, backup, contents, place)
  const look = () => lackOf(job, incoming)
  const dropped = mustGiveWay(job, incoming, await look(), inPlace !== undefined)
  await assertUnchanged(
    job,
    backup.artifacts.filter((one) => one.role !== "database"),
  )
  const roles = await restoreRoles(job, backup.artifacts)
  if (inPlace && dropped) await giveWay(job, incoming, { inPlace, look })
  const restored = await restoreAll(job, incoming, { dropped })
  await swapAll(job, restored, { dropped })
  const caveat = caveatOf(server, restored, roles.caveats)
  return {
    tables: contents.databases.reduce((sum, { tables }) => sum + tables.length, 0),
    rows: contents.databases.reduce((sum, database) => sum + rowsOf(database), 0),
    keys: 0,
    kept: [keptSentence(service, restored, { expected: contents.databases, dropped }), ...roles.made].join(" "),
    ...(caveat === undefined ? {} : { caveat }),
    ...displacedIn(restored),
  }
}

/** Refuses what can be seen to speak against it, while everything still runs; changes nothing. */
export async function assertRestorable(
  service: Service,
  container: Container,
  { backup, work, inPlace }: { readonly backup: ServiceBackup; readonly work: Work; readonly inPlace: boolean },
): Promise<void> {
  const contents = contentsOf(service, backup)
  const job = { service, container, work, server: await readServer(service, container) }
  await assertPossible(job, contents)
  // What a killed restore left is dropped before the room counts.
  if (leftoversOf(job.server).length > 0) return
  const incoming = incomingOf(job, backup, contents, placeOf(container))
  mustGiveWay(job, incoming, await lackOf(job, incoming), inPlace)
}

function contentsOf(service: Service, { contents }: ServiceBackup): PostgresContents {
  if (contents.kind === "postgres") return contents
  throw inputError("wrong-kind", `the backup of ${service.name} holds ${contents.kind} data, not a Postgres server's`)
}

function incomingOf(
  job: RestoreJob,
  backup: ServiceBackup,
  { databases }: PostgresContents,
  place: Place,
): readonly Incoming[] {
  return databases.map((expected) => ({
    names: namesOf(job, expected),
    expected,
    artifact: fileOf(backup, expected),
    properties: propertiesOf(backup, expected),
    place,
  }))
}

function namesOf({ work, server }: RestoreJob, { name }: DatabaseContents): BesideNames {
  return {
    live: name,
    name: besideName(name, "new", work.id),
    old: besideName(name, "old", work.id),
    exists: server.databases.some((one) => one.name === name),
    step: stepPart(name),
  }
}

/** All of them beside the live ones, as the manifest has them; none is left when one is not. */
async function restoreAll(
  job: RestoreJob,
  incoming: readonly Incoming[],
  { dropped }: { readonly dropped: boolean },
): Promise<readonly Restored[]> {
  const restored: Restored[] = []
  const expected = incoming.map((one) => one.expected)
  try {
    for (const one of incoming) {
      const names = dropped ? { ...one.names, exists: false } : one.names
      restored.push({ ...names, ...(await restoreBeside(job, names, one)) })
    }
    assertEqual(
      job.service,
      expected,
      restored.map((one) => one.contents),
    )
    return restored
  } catch (error) {
    // The error of the restore is the one to hear about; a database that stays is dropped by the next restore.
    await dropBeside(job, expected, error)
    throw error
  }
}

async function assertPossible(job: RestoreJob, contents: PostgresContents): Promise<void> {
  const { service, server } = job
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
  assertBringsBack(service, contents.databases)
  await assertExtensions(job, contents)
}

async function assertExtensions({ service, container, work }: RestoreJob, contents: PostgresContents): Promise<void> {
  const needed = new Set(contents.databases.flatMap(({ extensions = [] }) => extensions.map(({ name }) => name)))
  if (needed.size === 0 || (work.dryRun && container.state !== "running")) return
  const [available = []] = await ask(service, container, "select name from pg_available_extensions;")
  const missing = [...needed].filter((name) => !available.includes(name))
  if (missing.length > 0)
    throw refusal("postgres-extension", `${service.name} does not have the extensions ${missing.join(", ")}`, {
      hint: `Start ${service.name} with an image that has them, as the backup's had.`,
    })
}

/** The databases lie twice for a while, and each archive once more, unpacked if zstd packed it as a whole. */
async function lackOf({ service, container, work }: RestoreJob, incoming: readonly Incoming[]): Promise<Lack> {
  if (work.dryRun && container.state !== "running") return () => undefined
  const data = incoming.reduce((sum, { expected }) => sum + expected.size, 0)
  const temporary = Math.max(
    ...incoming.map(({ expected, artifact: { bytes, file } }) => {
      const stored = storedAs(file)
      // A directory lies packed and unpacked for a moment, about as large.
      return bytes + (stored === "zst" ? expected.size : stored === "directory" ? bytes : 0)
    }),
  )
  return roomInside(service, container, { data, temporary })
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
