import type { AppError } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import { CommandError, type RunResult } from "../../host/host.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { type Command, change, type Effect, sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { explainFailure } from "./explain-failure.ts"
import { connectionTo } from "./identifiers.ts"
import { cameToEnd, markedLines, newNonce } from "./marked-lines.ts"

/** The text of a script that runs inside the container, behind the part that logs in. */
export function insideScript(name: string): string {
  return `${remoteScript("postgres-session")}\n${remoteScript(`postgres-${name}-inside`)}`
}

/** Runs such a script; its standard input is that of the command. */
export function execInside(
  effect: Effect,
  container: Container,
  { name, args }: { readonly name: string; readonly args: readonly (string | number)[] },
): Command {
  const template = effect === "change" ? change : sh
  return template`docker exec -i ${container.id} sh -c ${insideScript(name)} sh ${args}`
}

/** A command that runs SQL for psql, from its standard input, in `template1`, where no other database is in the way. */
export function applyInside(container: Container, nonce = newNonce()): Command {
  return execInside("change", container, { name: "apply", args: [nonce, "dbname='template1'"] })
}

export interface AskOptions {
  /** Databases by name, an empty one for the image's own; `template1` unless told. */
  readonly databases?: readonly string[]
  /** Milliseconds for one statement; 60 000 unless told. */
  readonly limit?: number
  /** Look unqualified names up as the database itself is set to, for SQL that a user wrote; only in `pg_catalog` unless told. */
  readonly ownPath?: boolean
}

/** The rows of the same SQL from each database, in their order. Throws a named failure when any of them has no answer. */
export async function ask(
  service: Service,
  container: Container,
  sql: string,
  { databases = ["template1"], limit = 60_000, ownPath = false }: AskOptions = {},
): Promise<readonly (readonly string[])[]> {
  const nonce = newNonce()
  const args = [nonce, Math.ceil(limit / 1000), ownPath ? "own-path" : "pinned", sql, ...databases.map(connectionTo)]
  const command = execInside("read", container, { name: "ask", args })
  const result = await service.host.run(command, { timeout: databases.length * limit + 15_000, allow: "any" })
  const lines = markedLines(result.stdout, nonce)
  if (result.code !== 0 || !cameToEnd(lines)) throw unanswered(service, result)
  return databases.map((_, at) =>
    lines.flatMap((line) => (line.startsWith(`${at} `) ? [line.slice(`${at} `.length)] : [])),
  )
}

/** The named failure behind a command that ended badly; anything else that was thrown stays as it is. */
export function named(what: string, otherwise: string, error: unknown): unknown {
  if (!(error instanceof CommandError)) return error
  // Who was ended by SIGKILL or SIGTERM says nothing about what it was at work on.
  const unknown = [137, 143].includes(error.result.code) ? "postgres-killed" : otherwise
  return explainFailure(what, outputOf(error.result), unknown, error)
}

function unanswered(service: Service, result: RunResult): AppError {
  return explainFailure(`asking ${service.name}`, outputOf(result), "postgres-query-failed")
}

function outputOf({ stdout, stderr }: RunResult): string {
  return `${stderr}\n${stdout}`
}
