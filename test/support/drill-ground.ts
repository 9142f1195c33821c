import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { type DrillRecord, drillRecordSchema } from "../../src/core/drill-record.ts"
import { removeStack, resetStack, type StackPlace, testbed } from "../testbed/testbed.ts"
import { emptyPrefix } from "./empty-prefix.ts"
import { type ActionRun, runEntry } from "./run-action.ts"

const run = promisify(execFile)

/** One of the testbed's stacks with data in it, a configuration for it, and a prefix of its own in the bucket. */
export interface DrillGround extends AsyncDisposable {
  readonly stack: StackPlace
  /** Path of its `infra.yml`. */
  readonly config: string
  /** Where the host keeps its copies. */
  readonly backups: string
  /** A backup; its id. Throws with its log when it fails. */
  backUp(): Promise<string>
  /** An action from the sources, as a step of a workflow runs it. */
  act(name: string, inputs?: Record<string, string>, options?: Parameters<typeof runEntry>[1]): Promise<ActionRun>
  docker(...words: readonly string[]): Promise<string>
  /** Tuples only. */
  sql(text: string): Promise<string>
  redis(...words: readonly string[]): Promise<string>
  /** Every record there is, oldest first. */
  records(): readonly DrillRecord[]
  /** What a drill has made and not removed: containers and fetched files. */
  leftovers(): Promise<readonly string[]>
  /** Everything that tells whether the live services were touched. */
  live(): Promise<string>
}

export interface DrillGroundOptions {
  /** In front of the S3 server. */
  readonly endpoint?: string
  /** More of the section `backup`. */
  readonly backup?: Readonly<Record<string, unknown>>
  /** Where the stores' keys are kept in the bucket. */
  readonly prefix?: string
}

export async function drillGround(slot: number, options: DrillGroundOptions = {}): Promise<DrillGround> {
  const stack = await resetStack({ slot, infraOnly: true })
  const { ssh, s3 } = testbed(slot)
  const { prefix = `t-drill-${process.pid}/` } = options
  const workspace = mkdtempSync(join(tmpdir(), "t-drill-"))
  const config = join(workspace, "infra.yml")
  writeFileSync(config, configuration({ ...options, stack, prefix }))
  const docker = async (...words: readonly string[]) => (await run("docker", words)).stdout.trim()
  const owner = `infra-actions.drill=${stack.project}/production`
  const psql = 'exec psql -qAtX -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$1"'
  const client = 'exec redis-cli "$@"'
  const names = (kind: string) => `${stack.project}-${kind}-1`
  const backups = join(stack.baseDir, "backups")
  const metadata = join(backups, "metadata")
  const ground: DrillGround = {
    stack,
    config,
    backups,
    docker,
    async backUp() {
      const made = await ground.act("backup")
      assert.equal(made.code, 0, made.log)
      return made.outputs["backup-id"] ?? ""
    },
    act: (name, inputs = {}, options = {}) =>
      runEntry(join(import.meta.dirname, `../../actions/${name}/main.ts`), {
        workspace,
        inputs: {
          "ssh-key": readFileSync(ssh.keyPath, "utf8"),
          "ssh-known-hosts": readFileSync(ssh.knownHostsPath, "utf8"),
          ...inputs,
        },
        ...options,
        env: { S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey, ...options.env },
      }),
    sql: (text) => docker("exec", names("postgres"), "sh", "-c", psql, "sh", text),
    redis: (...words) => docker("exec", names("dragonfly"), "sh", "-c", client, "sh", ...words),
    records: () =>
      readdirSync(metadata)
        .filter((name) => name.startsWith("drill-"))
        .sort()
        .map((name) => drillRecordSchema.parse(JSON.parse(readFileSync(join(metadata, name), "utf8")))),
    async leftovers() {
      const containers = await docker("ps", "--all", "--filter", `label=${owner}`, "--format", "{{.Names}}")
      const fetched = readdirSync(backups).filter((name) => name.startsWith(".drill"))
      return [...containers.split("\n").filter((one) => one !== ""), ...fetched]
    },
    async live() {
      const state = "{{.Id}} {{.State.StartedAt}} {{.RestartCount}}"
      const containers = await docker("inspect", "--format", state, names("postgres"), names("dragonfly"))
      const databases = await ground.sql("select datname, oid from pg_database order by 1")
      const rows = await ground.sql("select count(*), md5(string_agg(note, ',' order by id)) from patients")
      return [containers, databases, rows, await ground.redis("dbsize"), await ground.redis("get", "key:7")].join("\n")
    },
    async [Symbol.asyncDispose]() {
      rmSync(workspace, { recursive: true, force: true })
      await emptyPrefix(prefix)
      await removeStack({ slot })
    },
  }
  await ground.sql(`create table patients (id int primary key, note text not null);
    create table visits (id int primary key, patient int not null references patients);
    insert into patients select n, 'note ' || n from generate_series(1, 500) n;
    insert into visits select n, n from generate_series(1, 300) n;
    create role drill_reader; grant select on patients to drill_reader;`)
  await ground.redis("eval", "for n = 1, 100 do redis.call('set', 'key:' .. n, 'value ' .. n) end", "0")
  await ground.redis("-n", "3", "set", "other", "database")
  return ground
}

function configuration({
  stack,
  prefix,
  endpoint,
  backup,
}: DrillGroundOptions & { readonly stack: StackPlace }): string {
  const { ssh, s3 } = testbed(stack.slot)
  return JSON.stringify({
    project: stack.project,
    host: { address: ssh.address, port: ssh.port, user: ssh.user, directory: stack.baseDir },
    compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] },
    services: {
      postgres: { "critical-tables": ["public.patients"], "sample-queries": ["select * from patients where id = 7"] },
    },
    backup: {
      verify: "checksum",
      ...backup,
      s3: { endpoint: endpoint ?? s3.endpoint, region: s3.region, bucket: s3.bucket, prefix },
    },
    lock: { wait: "2m", stale: "40s" },
  })
}
