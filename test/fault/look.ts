import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import pg from "pg"
import { readLease } from "../../src/host/read-lease.ts"
import { checkLedger, type LedgerCheck } from "../testbed/ledger.ts"
import { type Ground, stateOf } from "./ground.ts"

/** Every manifest in every store that points at anything but whole files, one line each. */
export async function badBackups({ stores }: Ground): Promise<readonly string[]> {
  const problems = await Promise.all(
    stores.map(async (store) => {
      const { backups, unreadable } = await store.list()
      const wrong = await Promise.all(backups.map(({ manifest }) => store.verify(manifest)))
      return [...unreadable, ...wrong.flat()].map((line) => `${store.name}: ${line}`)
    }),
  )
  return problems.flat()
}

/** Rows and keys that were committed and are not there as they were; undefined while a store does not answer. */
export async function lostRows({ ledger, urls }: Ground): Promise<number | undefined> {
  try {
    const { postgres, redis } = await checkLedger(ledger, urls)
    return missing(postgres) + missing(redis)
  } catch {
    return undefined // a server that the killed run has stopped: asked again when it serves
  }
}

/** What is not as it is on a healthy host where nothing of ours is at work, one line each; `seconds` to get there. */
export async function disorder(ground: Ground, seconds: number): Promise<readonly string[]> {
  for (let left = seconds * 4; ; left -= 1) {
    const found = await lookOnce(ground)
    if (found.length === 0 || left <= 0) return found
    await pause(250)
  }
}

async function lookOnce(ground: Ground): Promise<readonly string[]> {
  const [health, lock, sessions] = await Promise.all([answer(ground), lockHolder(ground), inPostgres(ground)])
  return [
    ...[...health, ...lock, ...sessions],
    ...[...containers(ground), ...strays(ground), ...halfFiles(ground), ...processes(ground), ...mounts(ground)],
  ]
}

/** Versions of the app that answer through the proxy, each once. */
export async function versions({ stack }: Ground): Promise<readonly string[]> {
  const url = `http://127.0.0.1:${stack.httpPort}/version`
  const answers = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) })
      return ((await answer.json()) as { version: string }).version
    }),
  )
  return [...new Set(answers)]
}

/** Ids of the images that the services' containers run. */
export function runningImages({ stack }: Ground, services: readonly string[]): readonly string[] {
  const names = services.flatMap((service) =>
    docker(
      "ps",
      "--quiet",
      "--filter",
      `label=com.docker.compose.project=${stack.project}`,
      "--filter",
      `label=com.docker.compose.service=${service}`,
    ),
  )
  return names.length === 0 ? [] : docker("inspect", "--format", "{{.Image}}", ...names)
}

/** Whether any container of the app runs. */
export function appRuns(ground: Ground): boolean {
  return runningImages(ground, ["api", "worker"]).length > 0
}

/** 15 or 17. Rejects when the server does not answer. */
export async function postgresMajor({ urls }: Ground): Promise<number> {
  const client = new pg.Client({ connectionString: urls.postgres, connectionTimeoutMillis: 20_000 })
  try {
    await client.connect()
    const { rows } = await client.query("show server_version_num")
    return Math.floor(Number(rows[0]?.server_version_num) / 10_000)
  } finally {
    await client.end()
  }
}

/** Seconds until the lock of a struck run may be taken, and those of them in which nothing of it was at work on the host. */
export async function waitForLock(ground: Ground): Promise<{ readonly waited: number; readonly idle: number }> {
  const began = performance.now()
  let alive = began
  for (;;) {
    const lease = await readLease(ground.host, `${stateOf(ground)}/lock`)
    const now = performance.now()
    if (processes(ground).length > 0) alive = now
    if (lease?.state !== "held") return { waited: (now - began) / 1000, idle: (now - alive) / 1000 }
    if (now - began > 180_000) throw new Error("the lock of a struck run is held for three minutes")
    await pause(200)
  }
}

function missing({ lost, damaged }: LedgerCheck): number {
  return lost + damaged
}

async function answer({ stack }: Ground): Promise<readonly string[]> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${stack.httpPort}/health`, { signal: AbortSignal.timeout(20_000) })
    return status === 200 ? [] : [`the app answers with ${status}`]
  } catch (error) {
    return [`the app does not answer: ${error}`]
  }
}

async function lockHolder({ host, stack }: Ground): Promise<readonly string[]> {
  const lease = await readLease(host, `${stateOf({ stack })}/lock`)
  return lease ? [`the lock is ${lease.state} by ${lease.holder?.purpose}`] : []
}

/** Sessions of ours, and databases that a restore has filled beside the live one and not swapped in. */
async function inPostgres({ urls }: Ground): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: urls.postgres, connectionTimeoutMillis: 2000 })
  try {
    await client.connect()
    const found = await client.query(
      `select 'a session of ours in Postgres: ' || application_name as line
       from pg_stat_activity where application_name like 'infra-actions%'
       union all select 'a database beside the live one: ' || datname from pg_database where datname like '%\\_\\_new\\_%'`,
    )
    return found.rows.map(({ line }) => line)
  } catch (error) {
    return [`Postgres does not answer: ${error}`]
  } finally {
    await client.end()
  }
}

const services = ["api", "coturn", "dragonfly", "nginx", "postgres", "worker"]

/** One healthy container a service, with the name that compose gives: a recreate that was cut leaves `<hex>_name`. */
function containers({ stack: { project } }: Ground): readonly string[] {
  const rows = docker(
    ...["ps", "--all", "--filter", `label=com.docker.compose.project=${project}`],
    ...["--format", '{{.Names}}\t{{.Label "com.docker.compose.service"}}\t{{.Status}}'],
  ).map((row) => row.split("\t"))
  const odd = rows.filter(
    ([name = "", , status = ""]) => !name.startsWith(project) || !/^Up .*\(healthy\)/.test(status),
  )
  const counted = rows.map(([, service]) => service).toSorted()
  return [
    ...odd.map(([name, , status]) => `container ${name}: ${status}`),
    ...(counted.join() === services.join() ? [] : [`containers of ${counted.join(", ")}`]),
    ...rows.flatMap(([name = ""]) => leftInside(name)),
  ]
}

function leftInside(container: string): readonly string[] {
  if (!/postgres|dragonfly/.test(container)) return []
  const ours = docker("top", container, "-eo", "pid,args").filter((line) =>
    /pg_dump|psql|redis-cli.*(SAVE|rdb)/.test(line),
  )
  return ours.map((line) => `a process of ours in ${container}: ${line.slice(0, 80)}`)
}

/** Throw-away containers of ours that have this stack's data; one that was never started the next backup takes away in ten minutes. */
function strays({ stack }: Ground): readonly string[] {
  const format = "{{.Mounts}}\t{{.ID}} {{.Status}}"
  const rows = docker("ps", "--all", "--no-trunc", "--filter", "label=infra-actions.scratch", "--format", format)
  const ours = rows.filter(
    (row) => !row.endsWith(" Created") && [`${stack.project}_`, `${stack.baseDir}/`].some((one) => row.includes(one)),
  )
  return ours.map((row) => `a throw-away container: ${row.split("\t")[1]}`)
}

/** The base directory is a disk of its own; nothing else of ours is mounted below it. */
function mounts({ stack }: Ground): readonly string[] {
  const places = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
  return places.filter((place) => place.startsWith(`${stack.baseDir}/`)).map((place) => `a mount: ${place}`)
}

function halfFiles({ stack }: Ground): readonly string[] {
  const names = readdirSync(`${stack.baseDir}/backups`, { recursive: true, encoding: "utf8" })
  return names.filter((name) => /\.partial(\.|$)/.test(name)).map((name) => `half a file: ${name}`)
}

/** The keeper's processes name the folder of their work. */
function processes({ stack }: Ground): readonly string[] {
  const mark = `${stack.baseDir}/state/`
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(pid))
    .filter((line) => line.includes(mark))
    .map((line) => `a process of ours: ${line.slice(0, 120)}`)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
  } catch {
    return "" // it has ended since the folder was read
  }
}

function docker(...words: readonly string[]): readonly string[] {
  const text = execFileSync("docker", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  return text.split("\n").filter((line) => line !== "")
}
