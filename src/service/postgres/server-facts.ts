import { z } from "zod"
import { type AppError, failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { Service } from "../driver.ts"
import { isBesideName } from "./identifiers.ts"
import { ask } from "./inside.ts"
import { serverSql } from "./sql.ts"

const databaseSchema = z.object({
  name: z.string(),
  /** Bytes on disk. */
  size: z.number(),
  connectable: z.boolean(),
  template: z.boolean(),
  comment: z.string().nullable(),
  /** Prepared transactions: their rows are in no dump, and they stop a rename. */
  prepared: z.number(),
  /** Logical replication slots: they stay with the database when it gets another name. */
  slots: z.array(z.string()),
  /** Subscriptions that run: they would go on filling the database under its new name. */
  subscriptions: z.array(z.string()),
})
const serverSchema = z.object({
  /** `server_version_num`: 170011 for 17.11. */
  version: z.number(),
  /** The server's own time, ISO 8601, UTC. */
  now: z.string(),
  systemIdentifier: z.string(),
  dataChecksums: z.boolean(),
  superuser: z.boolean(),
  standby: z.boolean(),
  /** Of a standby: when the last transaction that it replayed was committed, ISO 8601, UTC; null where there was none. */
  lastReplayed: z.string().nullable(),
  /** Whether it has replayed all that its primary, which sends to it now, has sent; true for a primary. */
  upToDate: z.boolean(),
  oldSnapshotThreshold: z.string(),
  roles: z.array(z.string()),
  /** Those of them that a killed restore left. */
  leftRoles: z.array(z.string()),
  /** Names of those that somebody made. */
  ownTablespaces: z.array(z.string()),
  databases: z.array(databaseSchema),
})
export type ServerFacts = z.output<typeof serverSchema>
export type DatabaseFacts = z.output<typeof databaseSchema>

/** What the running server says about itself. Throws a named failure, with the log's end, when it does not run or answer. */
export async function readServer(service: Service, container: Container): Promise<ServerFacts> {
  if (container.state !== "running") throw await notRunning(service, container)
  const [rows = []] = await ask(service, container, serverSql)
  const parsed = serverSchema.safeParse(JSON.parse(rows.join("\n") || "null"))
  if (parsed.success) return parsed.data
  throw failure(
    "postgres-answer",
    `${service.name} gave an answer that makes no sense: ${parsed.error.issues[0]?.message}`,
  )
}

/** What a dry run takes for the facts of a server that it would have started. */
export const assumedServer: ServerFacts = {
  version: 0,
  now: "1970-01-01T00:00:00Z",
  systemIdentifier: "0",
  dataChecksums: false,
  superuser: true,
  standby: false,
  lastReplayed: null,
  upToDate: true,
  oldSnapshotThreshold: "-1",
  roles: [],
  leftRoles: [],
  ownTablespaces: [],
  databases: [
    {
      name: "postgres",
      size: 1,
      connectable: true,
      template: false,
      comment: null,
      prepared: 0,
      slots: [],
      subscriptions: [],
    },
  ],
}

/** As `readServer`; when a dry run has not really started the server, `assumed`. */
export async function serverFor(
  work: Work,
  {
    service,
    container,
    assumed,
  }: { readonly service: Service; readonly container: Container; readonly assumed: ServerFacts },
): Promise<ServerFacts> {
  if (work.dryRun && container.state !== "running") return assumed
  return readServer(service, container)
}

const marker = z.object({
  "infra-actions": z.enum(["restoring", "replaced"]),
  name: z.string(),
  /** Of a replaced one: its own comment, the restore that replaced it, when, and what that restore made where nothing was. */
  comment: z.string().nullable().default(null),
  run: z.string().optional(),
  at: z.iso.datetime().optional(),
  made: z.array(z.string()).default([]),
  /** An empty one that only says that there was none: to bring it back is to have none. */
  nothing: z.boolean().default(false),
  /** Moved aside only to be dropped, before anything has replaced it. */
  leaving: z.boolean().default(false),
  /** A restore that did not come to its end had brought it: nothing that is to come back. */
  failed: z.boolean().default(false),
})
export type DatabaseMark = z.output<typeof marker>

/**
 * What our own comment on a database says: half restored, or replaced by a restore; undefined on anybody else's, and on
 * one by any other name than restores give: a comment stays where somebody renames a database, so that one is live.
 */
export function markOf(database: Pick<DatabaseFacts, "name" | "comment">): DatabaseMark | undefined {
  return isBesideName(database.name) ? commentedMark(database) : undefined
}

/** As `markOf`, whatever the database is called. */
export function commentedMark({ comment }: Pick<DatabaseFacts, "comment">): DatabaseMark | undefined {
  try {
    return marker.safeParse(JSON.parse(comment ?? "null")).data
  } catch {
    return undefined // Somebody's comment in plain words.
  }
}

/** The databases to look after: those configured, else every one that is not a template and not kept by a restore. */
export function chosenDatabases(service: Service, server: ServerFacts): readonly DatabaseFacts[] {
  const wanted = service.config.databases
  const all = server.databases.filter((one) => one.connectable && !one.template)
  if (!wanted) return all.filter((one) => markOf(one) === undefined)
  return wanted.map((name) => {
    const found = all.find((one) => one.name === name)
    if (found) return found
    throw failure("postgres-no-database", `service ${service.name} has no database "${name}"`, {
      hint: `Correct services.${service.name}.databases in infra.yml; it has: ${all.map((one) => one.name).join(", ")}.`,
    })
  })
}

/** Databases that nothing is dumped of, a template or closed to connections, but for the templates that every server has. */
export function undumpable({ databases }: ServerFacts): readonly DatabaseFacts[] {
  return databases.filter((one) => (one.template || !one.connectable) && !["template0", "template1"].includes(one.name))
}

/** What Postgres writes when it cannot start on its data directory. */
const unreadable =
  /PANIC|incorrect checksum in control file|could not (locate|find|open|read).*(pg_control|checkpoint|control file|relmapper)|invalid (checkpoint|primary checkpoint) record|database files are incompatible|is not a valid data directory|invalid page/

async function notRunning(service: Service, container: Container): Promise<AppError> {
  const log = await service.stack.logs(container, 50)
  const last = log.split("\n").findLast((line) => /FATAL|PANIC|ERROR/.test(line) || unreadable.test(line))
  const state = `the container is ${container.state} (exit code ${container.exitCode}, ${container.restarts} restarts)`
  const told = `${service.name} does not serve: ${state}${last === undefined ? "" : `; its log says: ${last.trim().slice(0, 300)}`}`
  if (!unreadable.test(log)) {
    const hint = "See the container's log; debug starts what is merely stopped."
    return failure("postgres-not-running", told, { hint })
  }
  return failure("postgres-unreadable", told, {
    hint: "The data cannot be read by this image. Take a cold copy of the data directory before anything else; then look at the image's major version, or restore the last proven backup.",
  })
}
