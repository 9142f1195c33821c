import assert from "node:assert/strict"
import { execFile, execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { AppError, failure } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { planWork } from "../../src/host/plan-work.ts"
import { backup } from "../../src/job/backup.ts"
import type { Logger } from "../../src/job/logger.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import { serviceDrivers } from "../../src/service/service-drivers.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { directWork } from "../support/direct-work.ts"
import { deployHost, stackTools } from "../support/stack-tools.ts"
import { checkLedger } from "../testbed/ledger.ts"
import { resetStack, type StackPlace, storeUrls } from "../testbed/testbed.ts"
import { runWriter } from "../testbed/writer.ts"

export interface OpenOptions {
  /** Called before each step; what it throws, the step throws. */
  readonly beforeStep?: (name: string) => void | Promise<void>
  readonly dryRun?: boolean
  /** Text of the compose file that the checkout has. */
  readonly compose?: string
}

/** What a job gets on one of the testbed's stacks, with every driver and a local store; what it logs lands in `said`. */
export function open(place: StackPlace, options: OpenOptions = {}): Tools & { readonly said: readonly string[] } {
  const host = deployHost()
  const said: string[] = []
  const log: Logger = {
    ...silentLogger,
    info: (line) => void said.push(line),
    warning: (line) => void said.push(line),
  }
  const work = options.dryRun
    ? planWork({ id: `dry-${process.pid}`, log: log.info })
    : directWork(host, options.beforeStep ? { beforeStep: options.beforeStep } : {})
  const tools = stackTools(place, { host, work, log, drivers: serviceDrivers() })
  const { project, environment } = tools.config
  return {
    ...tools,
    said,
    stores: [localStore({ host, directory: tools.layout.backups, project, environment })],
    definition: options.compose === undefined ? [] : [{ path: composeFile, content: Buffer.from(options.compose) }],
  }
}

export const composeFile = "docker-compose.prod.yml"

export function readCompose({ baseDir }: StackPlace): string {
  return readFileSync(join(baseDir, composeFile), "utf8")
}

/** The compose file with parts replaced; each must be there. */
export function changed(place: StackPlace, ...parts: readonly (readonly [string | RegExp, string])[]): string {
  return parts.reduce((text, [from, to]) => {
    const next = text.replace(from, () => to)
    assert.notEqual(next, text, `nothing to replace: ${from}`)
    return next
  }, readCompose(place))
}

/** For `assert.rejects`: the refusal with this code. */
export function refusedWith(code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, code, error.message)
    return error.kind === "refused"
  }
}

/** The id of a backup made by this run. */
export async function backupId(tools: Tools): Promise<string> {
  return (await backup(tools)).manifest.id
}

/** A new stack with thirty notes, and a backup of it. */
export async function backedUpNotes(slot: number): Promise<{ readonly place: StackPlace; readonly id: string }> {
  const place = await resetStack({ slot, app: "v1" })
  sql(place, "create table notes as select generate_series(1, 30) n")
  return { place, id: await backupId(open(place)) }
}

export async function docker(...words: readonly string[]): Promise<string> {
  return (await promisify(execFile)("docker", [...words])).stdout.trim()
}

/** Ids of all containers of the stack. */
export function ids({ project }: StackPlace): Promise<string> {
  return docker("ps", "-aq", "--no-trunc", "--filter", `label=com.docker.compose.project=${project}`)
}

/** Has the definition name this image for Postgres. */
export function useImage({ baseDir }: StackPlace, tag: string): void {
  const file = join(baseDir, ".env.production")
  writeFileSync(file, readFileSync(file, "utf8").replace(/^POSTGRES_IMAGE=.*$/m, `POSTGRES_IMAGE=${tag}`))
}

/** For `beforeStep`: this step fails. */
export function failAt(step: string) {
  return (name: string) => {
    if (name === step) throw failure("broken", "broken on purpose")
  }
}

/** For `beforeStep`: as in a killed run, nothing of it happens from this step on. */
export function cutAt(step: string) {
  return (name: string) => {
    if (name === step) throw new HostError("lost", "the connection is gone")
  }
}

/** SQL in one of the stack's databases as its superuser; rows, columns apart by `|`. */
export function sql({ project }: StackPlace, text: string, database = "healthcare"): string {
  const words = ["exec", "-i", `${project}-postgres-1`, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-U", "app"]
  return execFileSync("docker", [...words, "-d", database], { input: text, encoding: "utf8" }).trimEnd()
}

export function redis({ project, baseDir }: StackPlace, ...words: readonly string[]): string {
  const password = /^REDIS_PASSWORD=(.*)$/m.exec(readFileSync(join(baseDir, ".env.production"), "utf8"))?.[1] ?? ""
  const env = { ...process.env, REDISCLI_AUTH: password }
  const exec = ["exec", "-e", "REDISCLI_AUTH", `${project}-dragonfly-1`, "redis-cli", ...words]
  return execFileSync("docker", exec, { env, encoding: "utf8" }).trimEnd()
}

/** Builds a small image on top of a testbed's one. */
export async function image(tag: string, from: string, ...instructions: readonly string[]): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "t-rec-"))
  try {
    const text = [`FROM ${from}`, "LABEL infra-actions.testbed=1", ...instructions, ""].join("\n")
    writeFileSync(join(directory, "Dockerfile"), text)
    await docker("build", "--quiet", "--tag", tag, directory)
    return tag
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Where the definition names the images. */
export const storeImage = /image: \$\{DRAGONFLY_IMAGE[^\n]*/
export const databaseImage = /image: \$\{POSTGRES_IMAGE[^\n]*/
export const proxyImage = /image: \$\{NGINX_IMAGE[^\n]*/

/** A store of keys whose snapshots the testbed's one cannot read. */
export function newerStore(): Promise<string> {
  const links = ["server", "cli"].map((what) => `ln -s $(command -v valkey-${what}) /bin/redis-${what}`)
  return image("t-rec/valkey:newer", "infra-testbed/valkey:1", `RUN ${links.join(" && ")}`)
}

/** A proxy that ends after a while. */
export function brokenProxy(): Promise<string> {
  return image("t-rec/nginx:broken", "infra-testbed/nginx:1", 'ENTRYPOINT ["sh", "-c", "sleep 3; exit 1"]')
}

/** What a container beside the database is: a copy of which service of the stack, somebody else's unless told. */
interface Rival {
  readonly service?: string
  readonly policy?: string
}

/** A container that has the database's directory mounted: running, or made with a restart policy and not started. */
export async function rival(
  { baseDir, project }: StackPlace,
  how: "running" | "always",
  { service, policy = "no" }: Rival = {},
): Promise<AsyncDisposable> {
  const words = how === "running" ? ["run", "--detach", "--restart", policy] : ["create", "--restart", "always"]
  const mount = ["--volume", `${baseDir}/data/postgres:/theirs`, "--label", "infra-actions.testbed=1"]
  const labels = { project, service, "container-number": 2, oneoff: "False", "config-hash": "none" }
  const own = Object.entries(service === undefined ? {} : labels)
  const marks = own.flatMap(([name, value]) => ["--label", `com.docker.compose.${name}=${value}`])
  const id = await docker(...words, ...mount, ...marks, "--entrypoint", "sleep", "infra-testbed/dragonfly:1", "600")
  return { [Symbol.asyncDispose]: async () => void (await docker("rm", "--force", id)) }
}

export interface Writing extends AsyncDisposable {
  /** Stops it, and gives how many of the rows and keys that it was told are committed are lost or damaged. */
  lost(): Promise<number>
  /** Rows committed so far. */
  count(): number
}

/** A client from outside of the stack that writes all the time, whatever happens. */
export function startWriting(place: StackPlace): Writing {
  const directory = mkdtempSync(join(tmpdir(), "t-rec-"))
  const file = join(directory, "ledger")
  const stop = new AbortController()
  const urls = storeUrls(place)
  const running = runWriter({ urls, file, rate: 20, signal: stop.signal })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
    count: () => readFileSync(file, "utf8").split("\n").length - 1,
    async lost() {
      stop.abort()
      await running
      const { postgres, redis: keys } = await checkLedger(file, urls)
      rmSync(directory, { recursive: true })
      return postgres.lost + postgres.damaged + keys.lost + keys.damaged
    },
  }
}
