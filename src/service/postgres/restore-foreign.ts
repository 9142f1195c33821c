import { createHash } from "node:crypto"
import { compareCopied } from "../../core/copied-rows.ts"
import type { DumpScan, LineRange } from "../../core/dump-scan.ts"
import { AppError, failure, inputError, refusal } from "../../core/errors.ts"
import type { DatabaseContents } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script } from "../../shell/command.ts"
import type { ForeignRestore, RestoreReport, Service } from "../driver.ts"
import { assertReplaceable } from "./assert-replaceable.ts"
import { databaseContents, rowsOf } from "./contents.ts"
import { dropSql } from "./drop-sql.ts"
import { sessionName } from "./dump-command.ts"
import { foreignObjections } from "./foreign-checks.ts"
import { type ForeignFile, foreignFile, scanForeign } from "./foreign-script.ts"
import { besideName, connectionTo, identifier, stepPart } from "./identifiers.ts"
import { applyInside, ask, insideScript, named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce, valuesOf } from "./marked-lines.ts"
import type { RestoreJob } from "./restore-job.ts"
import { dropLeftovers, swapAll } from "./restore-steps.ts"
import { keepRolesSql, makeRolesSql } from "./restoring-roles.ts"
import { readServer } from "./server-facts.ts"
import { assertRoomInside } from "./space.ts"
import { countSql } from "./sql.ts"
import { markLeftover } from "./swap-sql.ts"

/**
 * Restores one database from a dump that somebody else made, beside the live one, and swaps it in. It is read first, in a
 * stream; what speaks against it is refused with the reasons. It runs as a role of its own without rights over the
 * server, which then owns what came in; with `force` as the superuser, with owners and all, whatever speaks against it.
 * The rows of every COPY are compared with what came in; of which tables they could not be is told.
 */
export async function restoreForeign(
  service: Service,
  container: Container,
  { file: path, database, force, begins, work }: ForeignRestore & { readonly work: Work },
): Promise<RestoreReport> {
  const server = await readServer(service, container)
  const job = { service, container, work, server }
  if (server.standby) throw refusal("postgres-standby", `${service.name} is a standby: it cannot be restored into`)
  assertReplaceable(server, [database])
  const file = await foreignFile(service, container, path)
  const scan = await scanForeign(service, container, file)
  const part = partOf(scan, database)
  const [available = []] = await ask(service, container, "select name from pg_available_extensions")
  const objections = foreignObjections(scan, { database, major: Math.floor(server.version / 10_000), available })
  if (objections.length > 0 && !force)
    throw refusal("foreign-dump", `${path} is not restored: ${objections.join("; ")}`, {
      hint: "If you trust who made it, `force: true` runs it as the superuser.",
    })
  await begins()
  await dropLeftovers(job)
  // As SQL it lies in /tmp once; a directory is unpacked there before. What it becomes is about as large as its text.
  const temporary = file.kind === "directory" ? scan.bytes * 2 : scan.bytes
  await assertRoomInside(service, container, { data: scan.bytes, temporary })
  const role = force ? "" : roleName(work.id)
  const names = {
    live: database,
    name: besideName(database, "new", work.id),
    old: besideName(database, "old", work.id),
    exists: server.databases.some((one) => one.name === database),
  }
  const roles = scan.roles.filter((one) => !server.roles.includes(one))
  try {
    const contents = await runScript(job, { file, scan, part, role, roles, database, name: names.name })
    const uncompared = assertRows(scan, part, contents)
    if (!force) assertHolds(path, contents, names)
    await keepRoles(job)
    await swapAll(job, [{ ...names, step: stepPart(database), contents, properties: [] }])
    const kept = names.exists
      ? `The replaced data of ${service.name} is in "${names.old}"`
      : "There was nothing to replace"
    return {
      tables: contents.tables.length,
      rows: rowsOf(contents),
      keys: 0,
      kept: `${kept}; ${told(role, roles, uncompared)}.`,
    }
  } catch (error) {
    await drop(job, names.name, role === "" ? roles : [...roles, role], error)
    throw error
  }
}

function told(role: string, roles: readonly string[], uncompared: readonly string[]): string {
  const made = roles.length > 0 ? `; roles made without login: ${roles.map((one) => `"${one}"`).join(", ")}` : ""
  const unknown = uncompared.length > 0 ? `; rows not compared: ${uncompared.slice(0, 10).join(", ")}` : ""
  return `rights, settings and comment of the database itself are those of a new one; ${role === "" ? "owners are those of the dump" : `what came in belongs to the role "${role}"`}${made}${unknown}`
}

function partOf(scan: DumpScan, database: string): LineRange {
  if (scan.parts.length === 0) return { from: 1, to: Number.MAX_SAFE_INTEGER }
  const part = scan.parts.findLast((one) => one.database === database)
  if (part) return part
  throw inputError("unknown-database", `database: the file has no database "${database}"`, {
    hint: `It has: ${scan.databases.join(", ")}.`,
  })
}

interface Script {
  readonly file: ForeignFile
  readonly scan: DumpScan
  readonly part: LineRange
  readonly role: string
  readonly roles: readonly string[]
  readonly database: string
  readonly name: string
}

async function runScript(job: RestoreJob, run: Script): Promise<DatabaseContents> {
  const { service, container, work } = job
  const nonce = newNonce()
  const plan = planOf(run)
  const create = [
    ...makeRolesSql(run.role === "" ? run.roles : [...run.roles, run.role]),
    `create database ${identifier(run.name)} template template0${run.role === "" ? "" : ` owner ${identifier(run.role)}`}`,
    `${markLeftover(run.database, run.name)};`,
  ]
  const args = [
    ...[container.id, insideScript("script"), insideScript("foreign"), nonce, run.file.path, run.file.kind],
    ...[sessionName(work.id), create.join(";\n"), connectionTo(run.name), run.role, countSql],
    ...[run.part.from, run.part.to, ...chunks(plan)],
  ]
  const { stdout } = await work
    .step(`restore-foreign-${service.name}`, script("change", remoteScript("postgres-foreign"), args), {
      timeout: 12 * 3_600_000,
      assume: `${nonce} fact size 1\n${nonce} fact objects 0\n${nonce} end 0\n`,
    })
    .catch((error: unknown) => {
      throw withoutRights(
        run,
        named(`restoring ${run.file.path} beside "${run.database}"`, "foreign-restore-failed", error),
      )
    })
  const lines = markedLines(stdout, nonce)
  if (!cameToEnd(lines)) throw failure("foreign-restore-failed", `restoring ${run.file.path} broke off`)
  return databaseContents(run.database, valuesOf(lines, "fact"))
}

/** What the script inside has to know about lines of the file, in their order. */
function planOf({ scan, part, role }: Script): readonly string[] {
  const leftOut = [...scan.needless, ...(role === "" ? [] : scan.privileged)]
  return [
    ...leftOut.map((one) => ({ ...one, what: "out" })),
    ...scan.copies.map((one) => ({ ...one, what: "copy" })),
    ...scan.ends.map((line) => ({ from: line, to: line, what: "end" })),
  ]
    .filter((one) => one.from >= part.from && one.to <= part.to)
    .toSorted((a, b) => a.from - b.from)
    .map((one) => `${one.what} ${one.from} ${one.to}`)
}

async function keepRoles({ service, container, work }: RestoreJob): Promise<void> {
  await work.step(`keep-roles-${service.name}`, applyInside(container), { input: keepRolesSql })
}

/** What the guarding role may not do is the dump's doing, not a fault of the server's set-up. */
function withoutRights({ role, file }: Script, error: unknown): unknown {
  if (role === "" || !(error instanceof AppError) || error.code !== "postgres-permission") return error
  return refusal("foreign-dump", `${file.path} asks for rights over the server: ${error.message}`, {
    hint: "Nothing live was touched. If you trust who made it, `force: true` runs it as the superuser.",
    cause: error,
  })
}

/** A dump that failed is an empty file as a rule: nothing of it is wrong, but that it holds nothing. */
function assertHolds(path: string, contents: DatabaseContents, { exists }: { readonly exists: boolean }): void {
  const { tables } = contents
  if (tables.length > 0 && (rowsOf(contents) > 0 || !exists)) return
  throw refusal("foreign-dump", `${path} holds ${tables.length === 0 ? "no table" : "tables without any row"}`, {
    hint: "Nothing live was touched. If this is what is to be there, `force: true` brings it.",
  })
}

/** As arguments, each of which has to stay below 128 KiB. */
function chunks(lines: readonly string[]): readonly string[] {
  const size = 3000
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, at) =>
    lines.slice(at * size, (at + 1) * size).join("\n"),
  )
}

/** Tables whose rows could not be compared. */
function assertRows(scan: DumpScan, part: LineRange, { tables }: DatabaseContents): readonly string[] {
  const database = scan.parts.find((one) => one.from === part.from)?.database
  const expected = scan.copied.filter((one) => database === undefined || one.database === database)
  const { wrong, unknown } = compareCopied(expected, tables)
  if (wrong.length === 0)
    return expected.length === 0 && tables.some(({ rows }) => rows > 0) ? ["all, since the file has no COPY"] : unknown
  throw failure("restore-differs", `what came in is not what the file holds: ${wrong.slice(0, 10).join("; ")}`)
}

function roleName(run: string): string {
  return `restored_${createHash("sha256").update(run).digest("hex").slice(0, 12)}`
}

/** The database, and roles that were made for it. What goes wrong here is added to `error`, whose message counts. */
async function drop(
  { service, container, work }: RestoreJob,
  name: string,
  roles: readonly string[],
  error: unknown,
): Promise<void> {
  const sql = [dropSql(name), ...roles.map((role) => `drop role if exists ${identifier(role)};`)].join("\n")
  try {
    await work.step(`drop-${service.name}`, applyInside(container), { input: sql })
  } catch (problem) {
    if (error instanceof Error && error.cause === undefined) error.cause = problem
  }
}
