import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import pg from "pg"
import { readLease } from "../../src/host/read-lease.ts"
import { checkLedger, type LedgerCheck } from "../testbed/ledger.ts"
import type { Ground } from "./ground.ts"

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
  const [health, lock, sessions] = await Promise.all([answer(ground), lockHolder(ground), openSessions(ground)])
  return [...health, ...lock, ...sessions, ...containers(ground), ...halfFiles(ground), ...processes(ground)]
}

/** Milliseconds until the lock of a killed run may be taken: nobody does anything for it. */
export async function waitForLock(ground: Ground): Promise<number> {
  const began = performance.now()
  for (;;) {
    const lease = await readLease(ground.host, `${ground.stack.baseDir}/state/production/lock`)
    if (lease?.state !== "held") return performance.now() - began
    if (performance.now() - began > 120_000) throw new Error("the lock of a killed run is held for two minutes")
    await pause(200)
  }
}

function missing({ lost, damaged }: LedgerCheck): number {
  return lost + damaged
}

async function answer({ stack }: Ground): Promise<readonly string[]> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${stack.httpPort}/health`, { signal: AbortSignal.timeout(5000) })
    return status === 200 ? [] : [`the app answers with ${status}`]
  } catch (error) {
    return [`the app does not answer: ${error}`]
  }
}

async function lockHolder({ host, stack }: Ground): Promise<readonly string[]> {
  const lease = await readLease(host, `${stack.baseDir}/state/production/lock`)
  return lease ? [`the lock is ${lease.state} by ${lease.holder?.purpose}`] : []
}

async function openSessions({ urls }: Ground): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: urls.postgres, connectionTimeoutMillis: 2000 })
  try {
    await client.connect()
    const found = await client.query(
      "select application_name as name from pg_stat_activity where application_name like 'infra-actions%'",
    )
    return found.rows.map(({ name }) => `a session of ours in Postgres: ${name}`)
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
