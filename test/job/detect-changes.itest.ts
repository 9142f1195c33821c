import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, before, describe, test } from "node:test"
import { configSchema } from "../../src/core/config.ts"
import { localHost } from "../../src/host/local.ts"
import { type Changes, type DetectOptions, detectChanges } from "../../src/job/detect-changes.ts"
import type { WorkflowEvent } from "../../src/job/event-base.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { openRepository } from "../../src/job/repository.ts"
import { type GitGround, gitGround } from "../support/git-repository.ts"

const zeros = "0".repeat(40)
const config = configSchema.parse({
  project: "shop",
  host: { address: "localhost" },
  paths: { infra: ["infra/"], app: ["app/"], migrations: ["migrations/"] },
})
const compose = (tag: string) => `services:
  postgres:
    image: postgres:${tag}
  cache:
    build: ./cache
    volumes: ["./cache.conf:/etc/cache.conf:ro"]
`

/** Base, an infrastructure change whose deployment failed, a docs commit, the merge of an app branch. */
interface History {
  readonly base: string
  readonly infra: string
  readonly docs: string
  readonly app: string
  readonly merge: string
}

function write(ground: GitGround): History {
  const base = ground.commit({
    "app/api.ts": "1",
    "infra/docker-compose.prod.yml": compose("15"),
    "migrations/1.sql": "",
    "README.md": "",
  })
  const infra = ground.commit({ "infra/docker-compose.prod.yml": compose("17") })
  ground.git("checkout", "--quiet", "-b", "feature")
  const app = ground.commit({ "app/api.ts": "2" })
  ground.git("checkout", "--quiet", "main")
  const docs = ground.commit({ "README.md": "docs" })
  ground.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
  ground.git("push", "--quiet", "origin", "main")
  return { base, infra, docs, app, merge: ground.git("rev-parse", "HEAD") }
}

describe("detect-changes on real repositories", () => {
  let ground: GitGround
  let history: History
  before(() => {
    ground = gitGround()
    history = write(ground)
  })
  after(() => ground[Symbol.dispose]())

  async function detect(checkout: string, options: Partial<DetectOptions>): Promise<Changes> {
    await using host = localHost()
    const repository = openRepository(host, checkout, AbortSignal.timeout(30_000))
    const event: WorkflowEvent = { name: "", payload: {} }
    return await detectChanges(repository, { config, event, deployed: undefined, log: silentLogger, ...options })
  }
  const push = (before: string, more = {}): WorkflowEvent => ({
    name: "push",
    payload: { ref: "refs/heads/main", before, ...more },
  })
  const changed = ({ files }: Changes) =>
    Object.entries(files)
      .filter(([, list]) => list.length > 0)
      .map(([part]) => part)
      .join(" ")
  const deployed = (commit: string) => ({ infra: commit, app: commit })

  test("push after a deployment that failed: the deployed commit shows what was lost", async () => {
    const found = await detect(ground.checkout(history.docs), {
      event: push(history.infra),
      deployed: deployed(history.base),
    })
    assert.equal(changed(found), "infra")
    assert.deepEqual([found.base, found.baseSource], [history.base, "deployed"])
    assert.deepEqual(found.services, ["postgres"])
  })

  test("push of two commits, nobody knows what is deployed: the commit before the push", async () => {
    const found = await detect(ground.checkout(history.docs), { event: push(history.base) })
    assert.equal(changed(found), "infra")
    assert.deepEqual([found.base, found.baseSource], [history.base, "event"])
  })

  test("push of a merge commit brings what the branch brought", async () => {
    const found = await detect(ground.checkout(history.merge), { event: push(history.docs) })
    assert.equal(changed(found), "app")
  })

  test("first push of a branch: everything", async () => {
    const found = await detect(ground.checkout(history.docs), { event: push(zeros) })
    assert.equal(changed(found), "infra app migrations")
    assert.deepEqual([found.base, found.baseSource, found.services], ["", "none", "all"])
  })

  test("a tag: everything, unless the host says what is deployed", async () => {
    const event = { name: "push", payload: { ref: "refs/tags/v1", before: zeros } }
    assert.equal(changed(await detect(ground.checkout(history.docs), { event })), "infra app migrations")
    const known = await detect(ground.checkout(history.docs), { event, deployed: deployed(history.infra) })
    assert.equal(changed(known), "")
  })

  test("forced push: two trees are compared, whatever lies between them", async () => {
    ground.git("checkout", "--quiet", "-b", "rewritten", history.base)
    const head = ground.commit({ "app/api.ts": "other" })
    ground.git("checkout", "--quiet", "main")
    const found = await detect(ground.checkout(head), { event: push(history.docs, { forced: true }) })
    assert.equal(changed(found), "infra app")
  })

  test("forced push whose old commit is gone: everything, no failure", async () => {
    const gone = "1234567890123456789012345678901234567890"
    const found = await detect(ground.checkout(history.docs), { event: push(gone, { forced: true }) })
    assert.equal(changed(found), "infra app migrations")
    assert.match(found.why.infra, /cannot be fetched/)
  })

  for (const name of ["workflow_dispatch", "workflow_run", "schedule", "repository_dispatch"])
    test(`${name}: everything without the host, the difference with it, also for a merge commit`, async () => {
      const event = { name, payload: {} }
      assert.equal(changed(await detect(ground.checkout(history.merge), { event })), "infra app migrations")
      const whole = ground.checkout(history.merge, 0)
      assert.equal(changed(await detect(whole, { event, deployed: deployed(history.base) })), "infra app")
    })

  test("merge group: its base", async () => {
    const event = { name: "merge_group", payload: { merge_group: { base_sha: history.infra } } }
    assert.equal(changed(await detect(ground.checkout(history.merge), { event })), "app")
  })

  test("pull request, GitHub's merge checked out one commit deep: what the request changes", async () => {
    const event = { name: "pull_request", payload: { pull_request: { base: { sha: history.base } } } }
    const found = await detect(ground.checkout(history.merge), { event, deployed: deployed(history.base) })
    assert.deepEqual([changed(found), found.base], ["app", history.docs])
  })

  test("pull request, its own head checked out: compared with the merge base", async () => {
    const event = { name: "pull_request", payload: { pull_request: { base: { sha: history.docs } } } }
    const found = await detect(ground.checkout(history.app), { event })
    assert.deepEqual([changed(found), found.base], ["app", history.infra])
  })

  test("input base wins; one that does not exist is an input error", async () => {
    const found = await detect(ground.checkout(history.docs), { base: history.base, deployed: deployed(history.docs) })
    assert.deepEqual([changed(found), found.baseSource], ["infra", "input"])
    await assert.rejects(detect(ground.checkout(history.docs), { base: "no-such-branch" }), { code: "base-unknown" })
  })

  test("each part is compared with its own deployment", async () => {
    const found = await detect(ground.checkout(history.merge), {
      deployed: { infra: history.infra, app: history.merge },
    })
    assert.equal(changed(found), "")
    const lagging = await detect(ground.checkout(history.merge), {
      deployed: { infra: undefined, app: history.merge },
    })
    assert.deepEqual([lagging.files.infra, lagging.files.app], ["all", []])
  })

  test("deleted files, changed modes and names outside ASCII count", async () => {
    ground.git("checkout", "--quiet", "-b", "odd", history.docs)
    const named = ground.commit({ "app/größe\n.ts": "1" })
    const deleted = ground.commit({ "infra/docker-compose.prod.yml": null })
    ground.git("update-index", "--chmod=+x", "migrations/1.sql")
    ground.git("commit", "--quiet", "--message", "mode")
    ground.git("push", "--quiet", "origin", "HEAD")
    const head = ground.git("rev-parse", "HEAD")
    ground.git("checkout", "--quiet", "--force", "main")
    const from = async (base: string) => (await detect(ground.checkout(head), { event: push(base) })).files
    assert.deepEqual((await from(history.docs)).app, ["app/größe\n.ts"])
    assert.deepEqual((await from(named)).infra, ["infra/docker-compose.prod.yml"])
    assert.deepEqual((await from(deleted)).migrations, ["migrations/1.sql"])
  })

  test("a full clone stays full", async () => {
    ground.git("checkout", "--quiet", "-b", "aside", history.base)
    const aside = ground.commit({ "app/api.ts": "aside" })
    ground.git("checkout", "--quiet", "main")
    const checkout = ground.checkout(history.merge, 0)
    const found = await detect(checkout, { deployed: deployed(aside) })
    assert.equal(found.base, aside)
    const count = execFileSync("git", ["rev-list", "--count", "HEAD"], { cwd: checkout, encoding: "utf8" })
    assert.equal(Number(count), 5)
  })

  test("an older commit than the deployed one is told", async () => {
    const warnings: string[] = []
    const log = { ...silentLogger, warning: (message: string) => void warnings.push(message) }
    await detect(ground.checkout(history.infra, 0), { deployed: deployed(history.merge), log })
    assert.ok(warnings.some((line) => line.includes("a rollback")))
  })

  test("no checkout: says what is missing", async () => {
    await assert.rejects(detect("/", {}), { code: "no-checkout" })
  })
})
