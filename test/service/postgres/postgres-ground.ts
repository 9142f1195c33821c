import { execFileSync, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ServiceConfig } from "../../../src/core/config.ts"
import type { Container, Stack } from "../../../src/docker/stack.ts"
import { localHost } from "../../../src/host/local.ts"
import type { Service } from "../../../src/service/driver.ts"
import { change, sh } from "../../../src/shell/command.ts"

/** A Postgres container of a test's own, with a backup directory of its own. */
export interface Ground extends AsyncDisposable {
  readonly service: Service
  readonly backups: string
  /** As `docker inspect` sees it now. */
  container(): Container
  /** Runs SQL and gives the rows, columns apart by `|`. */
  sql(database: string, text: string): string
  docker(...args: readonly string[]): string
  /** A session that runs SQL and stays open until it is ended. */
  session(database: string, text: string): { end(): void }
  ready(): Promise<void>
  /** What the server wrote to its log, crashes among it. */
  serverLog(): string
}

/** Starts `infra-testbed/postgres:<major>` as `<prefix>-<name>`; it and its data are gone when the ground is disposed. */
export async function openGround(
  name: string,
  options: {
    major: 15 | 17
    config?: Partial<ServiceConfig>
    prefix?: string
    /** The first role; `clinic` unless told. */
    user?: string
    /** Options of initdb. */
    initdb?: string
    /** Size of a disk of its own for the data: `256m`. */
    disk?: string
  },
): Promise<Ground> {
  const user = options.user ?? "clinic"
  const containerName = `${options.prefix ?? "t-pg"}-${name}`
  const docker = (...args: readonly string[]) =>
    execFileSync("docker", args, { encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "pipe"] })
  const remove = () => docker("rm", "--force", "--volumes", containerName)
  remove()
  docker(
    ...["run", "--detach", "--name", containerName, "--label", "infra-actions.testbed=1", "--network", "none"],
    // The image's own is named by nothing, as in most stacks that keep it.
    ...(user === "postgres" ? [] : ["--env", `POSTGRES_USER=${user}`]),
    ...["--env", "POSTGRES_PASSWORD=secret word", "--env", "POSTGRES_DB=app"],
    ...(options.disk ? ["--tmpfs", `/var/lib/postgresql/data:size=${options.disk}`] : []),
    ...["--env", `POSTGRES_INITDB_ARGS=${options.initdb ?? ""}`],
    ...[`infra-testbed/postgres:${options.major}`, "postgres", "-c", "fsync=off"],
  )
  const directory = mkdtempSync(join(tmpdir(), "t-pg-"))
  const backups = join(directory, "backups")
  const host = localHost()
  const config: ServiceConfig = { "critical-tables": [], "sample-queries": [], timeout: 10_000, ...options.config }
  const ground: Ground = {
    backups,
    docker,
    service: { name: "postgres", kind: "postgres", config, host, stack: stackOf(), backups },
    container: () => inspect(docker, containerName),
    sql: (database, text) =>
      execFileSync(
        "docker",
        ["exec", "-i", containerName, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", conninfo(database)],
        {
          input: text,
          encoding: "utf8",
        },
      ).trimEnd(),
    session(database, text) {
      const child = spawn(
        "docker",
        ["exec", "-i", containerName, "psql", "-qX", "-U", user, "-d", conninfo(database)],
        {
          stdio: ["pipe", "ignore", "ignore"],
        },
      )
      child.stdin.write(`${text}\n`)
      return { end: () => child.stdin.end() }
    },
    // Over TCP: the server that the image starts to make the cluster answers on the socket only, and goes again.
    ready: () => until(() => docker("exec", containerName, "pg_isready", "-q", "-h", "127.0.0.1")),
    serverLog: () => spawnSync("docker", ["logs", containerName], { encoding: "utf8" }).stderr,
    async [Symbol.asyncDispose]() {
      remove()
      rmSync(directory, { recursive: true, force: true })
      await host[Symbol.asyncDispose]()
    },
  }
  await ground.ready()
  return ground
}

/** Names of the files in the backup directory. */
export function backupFiles({ backups }: Ground): readonly string[] {
  return existsSync(`${backups}/postgres`) ? readdirSync(`${backups}/postgres`).sort() : []
}

/** Ids of the containers that run beside the ground's own. */
export function besides(ground: Ground): readonly string[] {
  const label = `label=infra-actions.beside=${ground.container().id}`
  return ground.docker("ps", "--all", "--quiet", "--filter", label).split("\n").filter(Boolean)
}

/** How many sessions of the driver's the server has. */
export function ownSessions(ground: Ground): string {
  return ground.sql("postgres", "select count(*) from pg_stat_activity where application_name like 'infra-actions%'")
}

/** Tries until it does not throw; at most two minutes. */
export async function until(attempt: () => unknown): Promise<void> {
  for (const end = Date.now() + 120_000; ; ) {
    try {
      attempt()
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

function conninfo(database: string): string {
  return `dbname='${database.replaceAll(/['\\]/g, "\\$&")}'`
}

function inspect(docker: Ground["docker"], name: string): Container {
  const [found] = JSON.parse(docker("inspect", name))
  return {
    id: found.Id,
    name,
    service: "postgres",
    state: found.State.Status,
    health: undefined,
    healthOutput: "",
    error: "",
    restarts: found.RestartCount,
    exitCode: found.State.ExitCode,
    oomKilled: found.State.OOMKilled,
    startedAt: found.State.StartedAt,
    finishedAt: found.State.FinishedAt,
    image: found.Config.Image,
    imageId: found.Image,
    configHash: "",
    number: 1,
    restartPolicy: found.HostConfig.RestartPolicy.Name,
    stopSignal: found.Config.StopSignal,
    mounts: [],
    networks: [],
    pid: found.State.Pid,
  }
}

/** Of the stack, the driver uses nothing but these three; compose has tests of its own. */
function stackOf(): Stack {
  const part: Pick<Stack, "definition" | "logs" | "stop"> = {
    definition: async () => ({ project: "t", services: [], volumes: [], networks: [] }),
    logs: async ({ id }, lines) =>
      spawnSync("docker", ["logs", "--tail", String(lines), id], { encoding: "utf8" }).stderr,
    stop: (containers, { signal = "", graceSeconds = 10 } = {}) =>
      change`docker stop ${sh`--signal ${signal} --time ${graceSeconds}`} ${containers.map((one) => one.id)}`,
  }
  return part as Stack
}
