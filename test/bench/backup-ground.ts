import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { z } from "zod"
import { type PrivateVersitygw, privateVersitygw } from "../storage/private-versitygw.ts"
import { type PublishedTree, publishedTree } from "../support/published-tree.ts"
import { runAction } from "../support/run-action.ts"
import { type S3Server, type StackPlace, testbed } from "../testbed/testbed.ts"

const run = promisify(execFile)
const usageSchema = z.object({ memory: z.number(), bytes: z.number() })

/** What an action took of the machine that runs it. */
export interface Usage extends z.output<typeof usageSchema> {
  /** Milliseconds. */
  readonly duration: number
  /** Milliseconds of the processor that the S3 server took, which shares it with everything else here. */
  readonly s3: number
}

/** A stack of the testbed whose Postgres holds databases of mixed data; they stay for the next run. */
export interface BackupGround extends AsyncDisposable {
  readonly place: StackPlace
  /** Stands for one elsewhere: its bytes lie in memory, not on the disk of the backups. */
  readonly s3: PrivateVersitygw
  /** Name of the Postgres container. */
  readonly container: string
  /** A folder on the host, on the disk of the backups, for what is made by hand. */
  readonly scratch: string
  /** Runs a command in a shell on the host; milliseconds. */
  shell(text: string): Promise<number>
  /** Rows of one column. */
  sql(database: string, text: string): Promise<string>
  /** Makes the database of so many GB unless it is there; its size in bytes. */
  fill(database: string, gigabytes: number): Promise<number>
  /** Runs a built action over SSH as a workflow does, for this database alone. */
  act(name: "backup" | "restore", options: { readonly database: string; readonly withS3: boolean }): Promise<Usage>
}

export async function backupGround(slot: number): Promise<BackupGround> {
  await run(join(import.meta.dirname, "../testbed/stack"), ["--slot", String(slot), "up", "--infra-only"])
  const { stack: place } = testbed(slot)
  const tree = await publishedTree()
  const workspace = mkdtempSync(join(tmpdir(), "infra-actions-bench-"))
  const s3 = await privateVersitygw({ parent: "/dev/shm", versions: false })
  mkdirSync(join(s3.folder, "data", s3.bucket))
  const container = `${place.project}-postgres-1`
  const scratch = `${place.baseDir}/bench`
  const shell = async (text: string) => {
    const start = performance.now()
    await run("bash", ["-euo", "pipefail", "-c", text], { maxBuffer: 1 << 26 })
    return performance.now() - start
  }
  await shell(`rm -rf ${scratch}; mkdir -p ${scratch}`)
  const sql = async (database: string, text: string) => {
    const args = ["exec", container, "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-U", "app", "-d", database, "-c", text]
    return (await run("docker", args)).stdout.trim()
  }
  return {
    ...{ place, s3, container, scratch, shell, sql },
    fill: (database, gigabytes) => fill({ container, shell, sql }, database, gigabytes),
    act: (name, options) => act(name, { place, tree, workspace, s3, ...options }),
    async [Symbol.asyncDispose]() {
      await s3[Symbol.asyncDispose]()
      tree[Symbol.dispose]()
      rmSync(workspace, { recursive: true, force: true })
      await shell(`rm -rf ${scratch}`)
    },
  }
}

async function fill(
  { container, shell, sql }: Pick<BackupGround, "container" | "shell" | "sql">,
  database: string,
  gigabytes: number,
): Promise<number> {
  const mark = `mixed data, ${gigabytes} GB, 2`
  const comment = `select shobj_description(oid, 'pg_database') from pg_database where datname = '${database}'`
  if ((await sql("postgres", comment)) !== mark) {
    await sql("postgres", `drop database if exists ${database} with (force)`)
    await sql("postgres", `create database ${database}`)
    const file = join(import.meta.dirname, "bench-database.sql")
    await shell(
      `docker exec -i ${container} psql -qAtX -v ON_ERROR_STOP=1 -v gb=${gigabytes} -U app -d ${database} <${file} >/dev/null`,
    )
    await sql("postgres", `comment on database ${database} is '${mark}'`)
    await sql("postgres", "checkpoint")
  }
  return Number(await sql("postgres", `select pg_database_size('${database}')`))
}

interface Act {
  readonly place: StackPlace
  readonly tree: PublishedTree
  readonly workspace: string
  readonly s3: PrivateVersitygw
  readonly database: string
  readonly withS3: boolean
}

async function act(name: string, { place, tree, workspace, s3, database, withS3 }: Act): Promise<Usage> {
  const { ssh } = testbed(place.slot)
  writeFileSync(join(workspace, "infra.yml"), configuration(place, database, withS3 ? s3 : undefined))
  const before = processorTime(s3.pid)
  const usage = join(workspace, "usage.json")
  const ended = await runAction(name, {
    tree: tree.path,
    workspace,
    inputs: {
      "ssh-key": readFileSync(ssh.keyPath, "utf8"),
      "ssh-known-hosts": readFileSync(ssh.knownHostsPath, "utf8"),
      "s3-access-key-id": s3.accessKeyId,
      "s3-secret-access-key": s3.secretAccessKey,
      services: "postgres",
    },
    ...(process.env.BENCH_LOG && { onOutput: (text) => process.stderr.write(stamped(text)) }),
    env: { NODE_OPTIONS: `--import ${join(import.meta.dirname, "measure-process.ts")}`, BENCH_USAGE: usage },
  })
  if (ended.code !== 0) throw new Error(`${name} ended with exit code ${ended.code}\n${ended.log}`)
  const post = await ended.post()
  return {
    duration: ended.duration + (post?.duration ?? 0),
    s3: processorTime(s3.pid) - before,
    ...usageSchema.parse(JSON.parse(readFileSync(usage, "utf8"))),
  }
}

function stamped(text: string): string {
  return text.replaceAll(/^(?=.)/gm, `${new Date().toISOString().slice(11, 23)} `)
}

/** Milliseconds of the processor that a process took so far. */
function processorTime(pid: number): number {
  const [user = 0, system = 0] =
    readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13) ?? []
  // In ticks of a hundredth of a second, whatever the kernel's own clock is.
  return (Number(user) + Number(system)) * 10
}

function configuration(place: StackPlace, database: string, s3: S3Server | undefined): string {
  const { ssh } = testbed(place.slot)
  return JSON.stringify({
    project: place.project,
    host: { address: ssh.address, port: ssh.port, user: ssh.user, directory: place.baseDir },
    compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] },
    services: { postgres: { databases: [database] } },
    thresholds: { "disk-free": 0.02 },
    backup: {
      retention: { last: 1, daily: 0, weekly: 0, monthly: 0 },
      "max-row-loss": 1,
      ...(s3 && { s3: { endpoint: s3.endpoint, region: s3.region, bucket: s3.bucket, prefix: "bench/" } }),
    },
  })
}
