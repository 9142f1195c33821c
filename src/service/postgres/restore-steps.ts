import { failure } from "../../core/errors.ts"
import type { Artifact, DatabaseContents } from "../../core/manifest.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script } from "../../shell/command.ts"
import { databaseContents } from "./contents.ts"
import { type DatabaseStatements, databaseStatements } from "./database-statements.ts"
import { displacedDatabase } from "./displaced.ts"
import { dropSql } from "./drop-sql.ts"
import { sessionName } from "./dump-command.ts"
import { besideName, connectionTo, identifier } from "./identifiers.ts"
import { applyInside, execInside, insideScript, named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce, valuesOf } from "./marked-lines.ts"
import { storedAs } from "./packing.ts"
import { type Place, placedScript } from "./place.ts"
import type { Beside, BesideNames, Restored, RestoreJob } from "./restore-job.ts"
import { dropRolesSql } from "./restoring-roles.ts"
import { type DatabaseFacts, markOf, readServer, type ServerFacts } from "./server-facts.ts"
import { checksumSql, countSql } from "./sql.ts"
import { markLeftover, nothingSql, swapSql } from "./swap-sql.ts"

interface RestoredFile {
  readonly expected: DatabaseContents
  readonly artifact: Artifact
  /** The file that says how the database is made; the same one as a rule. */
  readonly properties: Artifact
  readonly place: Place
  /** Only to see whether all but the rows can be made here. */
  readonly trial?: boolean
}

/** Restores one file into a new database beside the live one, and counts what came in. */
export async function restoreBeside(
  job: RestoreJob,
  names: BesideNames,
  { expected, artifact, properties, place, trial = false }: RestoredFile,
): Promise<Omit<Restored, keyof BesideNames>> {
  const { service, work, server } = job
  const path = `${service.backups}/${artifact.file}`
  const step = `${trial ? "try" : "restore"}-${service.name}-${names.step}`
  const what = `${trial ? "making" : "restoring"} database "${names.live}" beside the live one`
  const statements = await work.check(
    `read-${service.name}-${names.step}`,
    () => readStatements(job, names, properties),
    {
      tablespace: undefined,
      create: (name) => `CREATE DATABASE ${identifier(name)}`,
      settings: () => [],
      properties: [],
    },
  )
  const nonce = newNonce()
  const command = script("change", placedScript("postgres-restore"), [
    ...place.wordsFor(expected.size),
    insideScript("restore"),
    path,
    artifact.bytes,
    artifact.sha256,
    insideScript("grown"),
    names.name,
    nonce,
    sessionName(work.id),
    storedAs(artifact.file),
    [
      statements.create(names.name, server.ownTablespaces),
      markLeftover(names.live, names.name),
      ...statements.settings(names.name),
      "",
    ].join(";\n"),
    dropSql(names.name),
    connectionTo(names.name),
    expected.tables.some((one) => one.checksum !== undefined) ? checksumSql : countSql,
    // A tablespace is a directory that no backup holds: where there is none, its tables go to the default one at once.
    ...(server.ownTablespaces.length > 0 ? [] : ["--no-tablespaces"]),
    ...(trial ? ["--schema-only"] : []),
  ])
  const { stdout } = await work
    .step(step, command, {
      timeout: Math.ceil(1_200_000 + expected.size / 500),
      assume: assumedReport(nonce, expected),
      progress: place.progress(nonce, expected.size),
    })
    .catch((error: unknown) => {
      throw named(what, "postgres-restore-failed", error)
    })
  const lines = markedLines(stdout, nonce)
  if (!cameToEnd(lines)) throw failure("postgres-cut", `${what} broke off`)
  return {
    contents: databaseContents(names.live, valuesOf(lines, "fact")),
    properties: statements.properties,
    subscriptions: Number(valuesOf(lines, "subscriptions")[0] ?? 0),
    unfilled: valuesOf(lines, "unfilled").map((line) => String(JSON.parse(line))),
    reasons: valuesOf(lines, "reason"),
    displaced: [...displacedDatabase(statements, server), ...valuesOf(lines, "displaced")],
  }
}

/** Drops what is left of restores that were killed, roles that were made for one too. Databases without our mark are never dropped, but for empty ones of our name. */
export async function dropLeftovers(job: RestoreJob): Promise<void> {
  const { service, container, work, server } = job
  const left = leftoversOf(server)
  const all = [...left, ...server.leftRoles]
  if (all.length === 0) return
  await work
    .step(`clean-${service.name}`, applyInside(container), {
      input: [...left.map(dropSql), ...(server.leftRoles.length > 0 ? [dropRolesSql] : [])].join("\n"),
    })
    .catch((error: unknown) => {
      throw named(`dropping what an interrupted restore left (${all.join(", ")})`, "postgres-clean-failed", error)
    })
}

/** Names of what killed restores left. */
export function leftoversOf({ databases }: ServerFacts): readonly string[] {
  const empty = (databases.find((one) => one.name === "template0")?.size ?? 0) + 1_048_576
  return databases.filter((one) => isLeftover(one, empty)).map((one) => one.name)
}

/** Drops the new databases of a restore that failed. What goes wrong here is added to `error`, whose message counts. */
export async function dropBeside(
  { service, container, work }: RestoreJob,
  databases: readonly Pick<DatabaseContents, "name">[],
  error: unknown,
): Promise<void> {
  const names = databases.map(({ name }) => besideName(name, "new", work.id))
  try {
    await work.step(`drop-${service.name}`, applyInside(container), { input: names.map(dropSql).join("\n") })
  } catch (problem) {
    if (error instanceof Error && error.cause === undefined) error.cause = problem
  }
}

/**
 * Renames all of them at once; proven by looking at the names afterwards. Where there was nothing to replace, and nothing was
 * `dropped` for it, an empty database says so.
 */
export async function swapAll(
  job: RestoreJob,
  restored: readonly Beside[],
  { dropped = false }: { readonly dropped?: boolean } = {},
): Promise<void> {
  const { service, container, work, server } = job
  const nonce = newNonce()
  const names = restored.flatMap((one) => [one.live, one.name])
  const comments = new Map(server.databases.map((one) => [one.name, one.comment]))
  const nothing = dropped || restored.some((one) => one.exists) ? undefined : restored[0]
  if (nothing) await makeNothing(job, nothing)
  await work
    .step(
      `swap-${service.name}`,
      execInside("change", container, { name: "swap", args: [nonce, JSON.stringify(names)] }),
      { input: swapSql(restored, comments, { run: work.id, at: server.now, nothing }) },
    )
    .catch((error: unknown) => {
      throw named(`swapping the restored databases of ${service.name} in`, "postgres-swap-failed", error)
    })
  const missing = await work.check(`swapped-${service.name}`, () => notSwapped(job, restored), [])
  if (missing.length > 0)
    throw failure("postgres-swap-failed", `after the swap ${service.name} lacks: ${missing.join(", ")}`)
}

/** See `nothingSql`. */
export async function makeNothing(
  { service, container, work }: Omit<RestoreJob, "server">,
  { live, old }: Pick<Beside, "live" | "old">,
): Promise<void> {
  await work
    .step(`mark-${service.name}`, applyInside(container), { input: nothingSql(live, old) })
    .catch((error: unknown) => {
      throw named(`noting that there was no database "${live}"`, "postgres-swap-failed", error)
    })
}

async function notSwapped({ service, container }: RestoreJob, restored: readonly Beside[]): Promise<readonly string[]> {
  const now = new Set((await readServer(service, container)).databases.map((one) => one.name))
  return restored.flatMap((one) => (one.exists ? [one.live, one.old] : [one.live])).filter((name) => !now.has(name))
}

async function readStatements(
  { service, container }: RestoreJob,
  { live }: BesideNames,
  { file }: Artifact,
): Promise<DatabaseStatements> {
  const nonce = newNonce()
  const args = [container.id, remoteScript("postgres-session"), nonce, `${service.backups}/${file}`, storedAs(file)]
  const { stdout } = await service.host
    .run(script("read", remoteScript("postgres-properties"), args))
    .catch((error: unknown) => {
      throw named(`reading the dump of database "${live}"`, "postgres-wrong-dump", error)
    })
  if (!cameToEnd(markedLines(stdout, nonce)))
    throw failure("postgres-wrong-dump", `reading the dump of database "${live}" broke off`)
  return databaseStatements(stdout.slice(0, stdout.lastIndexOf(nonce)), live)
}

function isLeftover(database: DatabaseFacts, empty: number): boolean {
  const mark = markOf(database)
  if (mark) return mark["infra-actions"] === "restoring"
  return /__new_[0-9a-f]{8}$/.test(database.name) && database.comment === null && database.size <= empty
}

function assumedReport(nonce: string, { size, largeObjects, tables }: DatabaseContents): string {
  const counts = tables.map((table) => `${nonce} fact table 0 ${JSON.stringify(table)}`)
  return [`${nonce} fact size ${size}`, `${nonce} fact objects ${largeObjects}`, ...counts, `${nonce} end 0`, ""].join(
    "\n",
  )
}
