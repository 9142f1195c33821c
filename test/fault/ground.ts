import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle } from "../../script/build-steps/bundle.ts"
import type { Host } from "../../src/host/host.ts"
import { Secret } from "../../src/shell/secret.ts"
import type { BackupStore } from "../../src/storage/backup-store.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { consumerConfiguration, gitIdentity } from "../support/consumer.ts"
import { emptyPrefix } from "../support/empty-prefix.ts"
import { deployHost } from "../support/stack-tools.ts"
import { removeStack, resetStack, type StackPlace, storeUrls, type Testbed, testbed } from "../testbed/testbed.ts"
import { type Forwarder, forwarder } from "./forwarder.ts"
import { restingWriter, type Writer } from "./resting-writer.ts"
import { type Blow, type Ended, runTool } from "./tool.ts"

/** A whole stack with its app on a small disk, a consumer's checkout, the present sources as a bundle, and a writer. */
export interface Ground extends AsyncDisposable {
  readonly stack: StackPlace
  /** As user `deploy` sees it. */
  readonly host: Host
  readonly stores: readonly BackupStore[]
  readonly urls: { readonly postgres: string; readonly redis: string }
  /** The writer's record of what was committed. */
  readonly ledger: string
  readonly writer: Writer
  /** The way that the action's connection takes to the host. */
  readonly way: Forwarder
  readonly registry: string
  /** Runs an action as one of the jobs of one and the same run. */
  run(words: readonly string[], blow?: Blow): Promise<Ended>
  /** Ends the writer: a restore compares exactly, and only the app is stopped for it. */
  stopWriting(): Promise<void>
  /** Commits a change of the infrastructure, and `edit` with it: the next recreate has something to bring, PostgreSQL 17 where 15 is served. */
  changeDefinition(edit?: (text: string) => string): void
}

/** `postgres` is the major that is served at first. */
export async function openGround(slot: number, postgres: 15 | 17 = 17): Promise<Ground> {
  const scratch = mkdtempSync(join(tmpdir(), "infra-actions-fault-"))
  const bed = testbed(slot)
  const [stack] = await Promise.all([
    resetStack({ slot, app: "v1", postgres, disk: "2g" }),
    bundle(join(scratch, "dist")),
  ])
  const way = await forwarder(bed.ssh.port)
  const prefix = `fault-${process.pid}-${slot}-${Date.now().toString(36)}/`
  writeConsumer(scratch, { bed, prefix, way })
  const definition = readFileSync(join(stack.baseDir, "docker-compose.prod.yml"), "utf8")
  const [ledger, urls, host] = [join(scratch, "ledger"), storeUrls(stack), deployHost()]
  const writer = restingWriter({ urls, file: ledger, rate: 20 })
  const place = { program: join(scratch, "dist/cli/index.js"), directory: scratch, env: variables(bed, scratch) }
  let megabytes = 256
  const ground: Ground = {
    ...{ stack, host, urls, ledger, writer, way },
    registry: bed.registry,
    stores: openStores(host, bed, prefix),
    stopWriting: () => writer.rest(),
    run: (words, blow) => runTool(place, words, blow),
    changeDefinition(edit = (text) => text) {
      const text = definition
        .replace("shm_size: 256m", `shm_size: ${megabytes++}m`)
        .replace(/image: \$\{POSTGRES_IMAGE.*\}/, "image: infra-testbed/postgres:17")
      writeFileSync(join(scratch, "docker-compose.prod.yml"), edit(text))
    },
    async [Symbol.asyncDispose]() {
      await writer.rest()
      await way[Symbol.asyncDispose]()
      await removeStack({ slot })
      await emptyPrefix(prefix)
      rmSync(scratch, { recursive: true, force: true })
    },
  }
  ground.changeDefinition()
  const git = (...words: readonly string[]) => execFileSync("git", words, { cwd: scratch, env: gitIdentity })
  git("init", "--quiet")
  git("add", "infra.yml", "docker-compose.prod.yml")
  git("commit", "--quiet", "--message", "Begin")
  writer.work()
  return ground
}

interface ConsumerParts {
  readonly bed: Testbed
  readonly prefix: string
  readonly way: Forwarder
}

function writeConsumer(directory: string, { bed, prefix, way }: ConsumerParts): void {
  const configuration = consumerConfiguration(bed, {
    prefix,
    port: way.port,
    backup: { retention: { last: 2, daily: 0, weekly: 0, monthly: 0 } },
    lock: { stale: "5s" },
  })
  writeFileSync(join(directory, "infra.yml"), configuration)
  const known = readFileSync(bed.ssh.knownHostsPath, "utf8").replaceAll(`]:${bed.ssh.port} `, `]:${way.port} `)
  writeFileSync(join(directory, "known_hosts"), known)
}

function openStores(host: Host, { stack, s3 }: Testbed, prefix: string): readonly BackupStore[] {
  const environment = "production"
  const place = { host, directory: `${stack.baseDir}/backups`, project: stack.project, environment }
  const { bucket, region, endpoint } = s3
  const credentials = {
    accessKeyId: new Secret("s3-access-key-id", s3.accessKeyId),
    secretAccessKey: new Secret("s3-secret-access-key", s3.secretAccessKey),
  }
  const notes = `${stack.baseDir}/state/${environment}/uploads`
  return [localStore(place), s3Store({ ...place, notes, bucket, region, endpoint, credentials, prefix })]
}

function variables({ ssh, s3 }: Testbed, directory: string): Readonly<Record<string, string | undefined>> {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    USER: "fault",
    GITHUB_RUN_ID: String(process.pid),
    SSH_KEY_FILE: ssh.keyPath,
    SSH_KNOWN_HOSTS_FILE: join(directory, "known_hosts"),
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
}

/** The stack's own folder of lock, journal and detached work. */
export function stateOf({ stack }: Pick<Ground, "stack">): string {
  return join(stack.baseDir, "state/production")
}

/** What the definition on the host has to say. */
export function installedDefinition({ stack }: Pick<Ground, "stack">): string {
  const file = join(stack.baseDir, "docker-compose.prod.yml")
  return existsSync(file) ? readFileSync(file, "utf8") : ""
}
