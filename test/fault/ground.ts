import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle } from "../../script/build-steps/bundle.ts"
import type { Host } from "../../src/host/host.ts"
import { Secret } from "../../src/shell/secret.ts"
import type { BackupStore } from "../../src/storage/backup-store.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { deployHost } from "../support/stack-tools.ts"
import { removeStack, resetStack, type StackPlace, storeUrls, type Testbed, testbed } from "../testbed/testbed.ts"
import { runWriter } from "../testbed/writer.ts"
import { type Ended, type Kill, runTool } from "./tool.ts"

/** A whole stack with its app, a consumer's checkout, the present sources as a bundle, and a writer that never rests. */
export interface Ground extends AsyncDisposable {
  readonly stack: StackPlace
  /** As user `deploy` sees it. */
  readonly host: Host
  readonly stores: readonly BackupStore[]
  readonly urls: { readonly postgres: string; readonly redis: string }
  /** The writer's record of what was committed. */
  readonly ledger: string
  /** Runs an action as one of the jobs of one and the same run. */
  run(words: readonly string[], kill?: Kill): Promise<Ended>
  /** Ends the writer: a restore compares exactly, and only the app is stopped for it. */
  stopWriting(): Promise<void>
  /** Commits a change of the infrastructure: the next recreate has something to bring. */
  changeDefinition(edit?: (text: string) => string): void
}

const identity = ["-c", "user.name=fault", "-c", "user.email=fault@example.org"]
const environment = "production"

/** Stacks to use, `FAULT_SLOTS`. */
export const slots = (process.env.FAULT_SLOTS ?? "1,11").split(",").map(Number)

export async function openGround(slot = slots[0] ?? 1): Promise<Ground> {
  const scratch = mkdtempSync(join(tmpdir(), "infra-actions-fault-"))
  const bed = testbed(slot)
  const [stack] = await Promise.all([resetStack({ slot, app: "v1" }), bundle(join(scratch, "dist"))])
  const prefix = `fault-${process.pid}-${slot}/`
  writeFileSync(join(scratch, "infra.yml"), configuration(bed, prefix))
  const definition = readFileSync(join(stack.baseDir, "docker-compose.prod.yml"), "utf8")
  const [ledger, urls, host] = [join(scratch, "ledger"), storeUrls(stack), deployHost()]
  const stop = new AbortController()
  const writing = runWriter({ urls, file: ledger, rate: 20, signal: stop.signal })
  const place = { program: join(scratch, "dist/cli/index.js"), directory: scratch, env: variables(bed) }
  let megabytes = 256
  const ground: Ground = {
    ...{ stack, host, urls, ledger },
    stores: openStores(host, bed, prefix),
    run: (words, kill) => runTool(place, words, kill),
    changeDefinition(edit = (text) => text) {
      const text = definition.replace("shm_size: 256m", `shm_size: ${megabytes++}m`)
      writeFileSync(join(scratch, "docker-compose.prod.yml"), edit(text))
    },
    async stopWriting() {
      stop.abort()
      await writing
    },
    async [Symbol.asyncDispose]() {
      await ground.stopWriting()
      await removeStack({ slot })
      rmSync(scratch, { recursive: true, force: true })
    },
  }
  ground.changeDefinition()
  const git = (...words: readonly string[]) => execFileSync("git", [...identity, ...words], { cwd: scratch })
  git("init", "--quiet")
  git("add", "infra.yml", "docker-compose.prod.yml")
  git("commit", "--quiet", "--message", "Begin")
  return ground
}

function openStores(host: Host, { stack, s3 }: Testbed, prefix: string): readonly BackupStore[] {
  const place = { host, directory: `${stack.baseDir}/backups`, project: stack.project, environment }
  const { bucket, region, endpoint } = s3
  const credentials = {
    accessKeyId: new Secret("s3-access-key-id", s3.accessKeyId),
    secretAccessKey: new Secret("s3-secret-access-key", s3.secretAccessKey),
  }
  return [localStore(place), s3Store({ ...place, bucket, region, endpoint, credentials, prefix })]
}

function variables({ ssh, s3 }: Testbed): Readonly<Record<string, string | undefined>> {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    USER: "fault",
    GITHUB_RUN_ID: String(process.pid),
    SSH_KEY_FILE: ssh.keyPath,
    SSH_KNOWN_HOSTS_FILE: ssh.knownHostsPath,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
}

function configuration({ stack, ssh, s3 }: Testbed, prefix: string): string {
  return `project: ${stack.project}
host:
  address: ${ssh.address}
  port: ${ssh.port}
  user: ${ssh.user}
  directory: ${stack.baseDir}
compose:
  files: [docker-compose.prod.yml, docker-compose.override.yml]
  upload: [docker-compose.prod.yml]
app:
  health-url: http://127.0.0.1:${stack.httpPort}/health
  proxy: { service: nginx }
backup:
  s3:
    endpoint: ${s3.endpoint}
    region: ${s3.region}
    bucket: ${s3.bucket}
    prefix: ${prefix}
  retention: { last: 2, daily: 0, weekly: 0, monthly: 0 }
lock:
  stale: 5s
`
}
