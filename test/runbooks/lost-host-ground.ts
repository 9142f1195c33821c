import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type Ended, type Moment, runTool } from "../fault/tool.ts"
import { redis, sql } from "../job/recreate-ground.ts"
import { gitIdentity } from "../support/consumer.ts"
import { emptyPrefix } from "../support/empty-prefix.ts"
import { makeOpenpgpKeys } from "../support/openpgp-keys.ts"
import { removeStack, resetStack, type StackPlace, type Testbed, testbed } from "../testbed/testbed.ts"
import { openRunbook, program, type Runbook } from "./runbook.ts"

/** A stack with an app, forty rows and two keys, its repository, and encrypted copies in S3. */
export interface LostHostGround extends AsyncDisposable {
  readonly place: StackPlace
  readonly page: Runbook
  readonly s3: Testbed["s3"]
  readonly prefix: string
  /** The secrets of the workflow. */
  readonly env: Readonly<Record<string, string>>
  readonly images: string
  /** An action from the command line, killed at the moment if there is one. */
  act(words: readonly string[], moment?: Moment): Promise<Ended>
  /** Only what the page tells to keep is left: the repository, the env file, the secrets, and what is in S3. */
  loseHost(): Promise<void>
  /** The rows and keys are those of the backup, and the app serves. */
  assertWhole(): Promise<void>
}

export async function lostHostGround(slot: number): Promise<LostHostGround> {
  const place = await resetStack({ slot })
  const { project, baseDir: base } = place
  const { s3, ssh, registry } = testbed(slot)
  const directory = mkdtempSync(join(tmpdir(), "infra-actions-runbook-"))
  const prefix = `t-lost-host-${process.pid}/`
  const { publicKey, privateKey } = makeOpenpgpKeys()
  const env = { S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey, BACKUP_KEY: privateKey }
  for (const name of ["docker-compose.prod.yml", "docker-compose.override.yml", ".env.production"])
    copyFileSync(join(base, name), join(directory, name))
  cpSync(resolve(import.meta.dirname, "../../action-templates/nginx"), join(directory, "nginx"), { recursive: true })
  const { endpoint, region, bucket } = s3
  const page = openRunbook("lost-host", {
    ...{ project, base, directory, env },
    config: {
      compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] },
      app: { "health-url": `http://127.0.0.1:${place.httpPort}/health`, proxy: { service: "nginx" } },
      backup: { encryption: { "openpgp-key": publicKey }, s3: { endpoint, region, bucket, prefix } },
      lock: { stale: "5s", wait: "1m" },
      thresholds: { "disk-free": 0.02 },
    },
    words: { ADDRESS: `-p ${ssh.port} ${ssh.address}`, IMAGE: `${registry}/sample-app:v1` },
  })
  for (const words of ["init --quiet", "add infra.yml docker-compose.prod.yml nginx", "commit --quiet -m stack"])
    execFileSync("git", words.split(" "), { cwd: directory, env: gitIdentity })
  sql(place, "create table mark as select generate_series(1, 40) n")
  redis(place, "mset", "mark", "kept", "other", "too")
  const tool = { program, directory, env: { ...env, PATH: process.env.PATH, HOME: directory, USER: "runbook" } }
  return {
    ...{ place, page, s3, prefix, env },
    images: `api=${registry}/sample-app:v1 worker=${registry}/sample-app:v1`,
    act: (words, moment) => runTool(tool, words, moment && { ...moment, delay: 0 }),
    async loseHost() {
      await removeStack({ slot })
      // By this the testbed knows its folder again.
      mkdirSync(base)
      writeFileSync(join(base, ".infra-actions-testbed"), "")
    },
    async assertWhole() {
      assert.equal(sql(place, "select count(*) from mark"), "40")
      assert.equal(redis(place, "mget", "mark", "other"), "kept\ntoo")
      assert.equal((await fetch(`http://127.0.0.1:${place.httpPort}/health`)).status, 200)
    },
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true })
      await emptyPrefix(prefix)
      await removeStack({ slot })
    },
  }
}
