import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type Consumer, consumerRepository } from "../demo/consumer.ts"
import { type PublishedTree, publishedTree } from "../support/published-tree.ts"
import { removeStack, resetStack, testbed } from "../testbed/testbed.ts"
import { runAct, type WorkflowRun } from "./act.ts"

const slot = 33
const templates = join(import.meta.dirname, "../../action-templates")
const cache = process.env.INFRA_ACTIONS_CACHE ?? "/var/cache/infra-actions"

describe("the workflows on a schedule, as a runner does them", () => {
  let tree: PublishedTree
  let consumer: Consumer
  let runs = 0
  before(async () => {
    ;[tree] = await Promise.all([publishedTree(), resetStack({ slot, infraOnly: true })])
    consumer = consumerRepository(testbed(slot))
    // The critical tables of the consumer's configuration.
    const tables =
      "create table users (id int); create table ledger (id int); insert into users values (1); insert into ledger values (1)"
    const psql = 'psql -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$1"'
    execFileSync("docker", ["exec", `${testbed(slot).stack.project}-postgres-1`, "sh", "-c", psql, "sh", tables])
  })
  after(async () => {
    tree?.[Symbol.dispose]()
    consumer?.[Symbol.dispose]()
    await removeStack({ slot })
  })

  /** A template as it is copied; only what starts it is another event, and `edit` changes. */
  async function start(name: string, edit = (text: string) => text): Promise<WorkflowRun> {
    const text = edit(readFileSync(join(templates, name), "utf8"))
    const pushed = text.replace(/^on:\n(?: .*\n)+/m, "on: push\n")
    assert.match(pushed, /^on: push$/m)
    consumer.commit(".github/workflows/scheduled.yml", pushed)
    const { ssh, s3 } = testbed(slot)
    runs += 1
    return runAct({
      directory: consumer.directory,
      tree: tree.path,
      act: join(cache, "bin/act"),
      timeout: 600_000,
      run: String(700_000_000 + (process.pid % 100_000) * 100 + runs),
      event: { ref: "refs/heads/main", repository: { full_name: "org/app", default_branch: "main" } },
      secrets: {
        SSH_KEY: readFileSync(ssh.keyPath, "utf8"),
        SSH_KNOWN_HOSTS: readFileSync(ssh.knownHostsPath, "utf8"),
        S3_ACCESS_KEY_ID: s3.accessKeyId,
        S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      },
    })
  }

  test("the alarm goes off while there is no proven backup, is quiet after the nightly one, and goes off when that is too old", async () => {
    const none = await start("backup-age.yml")
    assert.notEqual(none.code, 0)
    assert.match(none.log, /newest backup in local: there is no proven backup/)
    assert.match(none.log, /newest backup in s3: there is no proven backup/)
    const nightly = await start("backup-daily.yml")
    assert.equal(nightly.code, 0, nightly.log)
    const frequent = await start("backup-15min.yml")
    assert.equal(frequent.code, 0, frequent.log)
    const young = await start("backup-age.yml")
    assert.equal(young.code, 0, young.log)
    const old = await start("backup-age.yml", (text) => text.replace("26h", "1s"))
    assert.notEqual(old.code, 0)
    assert.match(old.log, /newest backup in local: backup-\S+ is .* old, the limit is 1\.0s/)
  })

  test("the weekly drill proves both copies", async () => {
    const run = await start("drill-weekly.yml")
    assert.equal(run.code, 0, run.log)
    for (const source of ["local", "s3"]) assert.match(run.log, new RegExp(`Drill of backup-\\S+ from ${source} in`))
  })
})
