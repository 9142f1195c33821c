import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomInt } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type JobName, type JobResult, jobNames, nextJob, type Progress } from "../../src/core/decision.ts"
import { parseFacts } from "../../src/core/facts.ts"
import type { Consumer } from "../demo/consumer.ts"
import { runLoad } from "../testbed/load.ts"
import type { Testbed } from "../testbed/testbed.ts"
import { runAct, type WorkflowRun } from "./act.ts"
import { type PublishedGround, publishedGround } from "./ground.ts"

const template = readFileSync(join(import.meta.dirname, "../../action-templates/deploy.yml"), "utf8")
const firstRun = randomInt(1_000_000, 1_000_000_000)

describe("a push, as a runner does it: deploy.yml calls pipeline.yml calls the published actions", () => {
  let ground: PublishedGround
  let bed: Testbed
  let consumer: Consumer
  const images: string[] = []
  const logs: string[] = []
  before(async () => {
    ground = await publishedGround(2)
    ;({ bed, consumer } = ground)
    consumer.commit(".github/workflows/deploy.yml", template.replaceAll("ghcr.io/my-org/my-app", repository()))
  })
  after(async () => {
    if (images.length > 0) execFileSync("docker", ["rmi", ...images], { stdio: "ignore" })
    await ground?.[Symbol.asyncDispose]()
  })

  const repository = () => `${bed.registry}/sample-app`

  /** Gives the newest commit's image, which is one of the testbed's variants, and pushes. */
  async function push(variant: string, previous?: string): Promise<WorkflowRun & { readonly sha: string }> {
    const sha = consumer.head()
    const image = `${repository()}:${sha}`
    if (!images.includes(image)) {
      execFileSync("docker", ["tag", `${repository()}:${variant}`, image])
      execFileSync("docker", ["push", "--quiet", image], { stdio: "ignore" })
      images.push(image)
    }
    const run = await runAct({
      directory: consumer.directory,
      tree: ground.tree.path,
      act: join(cache(), "bin/act"),
      run: String(firstRun + logs.length),
      event: {
        ref: "refs/heads/main",
        before: previous ?? "0".repeat(40),
        after: sha,
        repository: { full_name: "org/app", default_branch: "main" },
      },
      secrets: secretsOf(bed),
    })
    logs.push(run.log)
    return { ...run, sha }
  }

  let deployed: string
  test("the first one: everything counts as changed, and all of it is done", async () => {
    const run = await push("v1")
    assert.equal(run.code, 0, run.log)
    deployed = run.sha
    assert.deepEqual(jobsOf(run), decided(run))
    assert.equal(
      jobsOf(run).join(" "),
      "lock=success backup=success recreate=success verify=success deploy-app=success verify-deploy=success unlock=success",
    )
    assert.equal(run.outputs.get("backup")?.["storage-s3"], "success")
    assert.equal(run.outputs.get("recreate")?.["data-intact"], "true")
    assert.equal(run.outputs.get("result")?.status, "success")
  })

  test("the same commit again: there is nothing to do, and it says so", async () => {
    const run = await push("v1", deployed)
    assert.equal(run.code, 0, run.log)
    assert.deepEqual(jobsOf(run), [])
    assert.deepEqual(decided(run), [])
    assert.equal(run.outputs.get("detect-changes")?.["base-source"], "deployed")
    assert.equal(run.outputs.get("detect-changes")?.base, deployed)
    assert.equal(run.outputs.get("result")?.status, "unchanged")
  })

  test("an app that never gets healthy: the old one keeps answering, and the lock is given back", async () => {
    consumer.commit("src/app.js", "// version 2\n")
    const asking = new AbortController()
    const load = runLoad({ url: `${address()}/version`, rate: 20, signal: asking.signal })
    const run = await push("never-healthy", deployed)
    asking.abort()
    const seen = await load
    assert.notEqual(run.code, 0)
    assert.deepEqual(jobsOf(run), decided(run))
    assert.equal(jobsOf(run).join(" "), "lock=success deploy-app=failure unlock=success")
    assert.equal(run.outputs.get("deploy-app")?.["deploy-status"], "failed")
    assert.equal(run.outputs.get("unlock")?.holder, "")
    assert.equal(run.outputs.get("result")?.status, "failure")
    assert.deepEqual([seen.failed, Object.keys(seen.versions)], [0, ["1"]])
    assert.equal(await version(), "1")
  })

  test("the next push mends it: what never got deployed counts as changed, and nothing else is touched", async () => {
    consumer.commit("README.md", "Built again.\n")
    const run = await push("v2", deployed)
    assert.equal(run.code, 0, run.log)
    assert.deepEqual(jobsOf(run), decided(run))
    assert.equal(jobsOf(run).join(" "), "lock=success deploy-app=success verify-deploy=success unlock=success")
    assert.match(run.outputs.get("deploy-app")?.["release-id"] ?? "", /./)
    assert.equal(await version(), "2")
  })

  test("no secret was ever shown", () => {
    for (const log of logs)
      for (const secret of ground.secrets) assert.ok(!log.includes(secret), `${secret.slice(0, 4)}...`)
  })

  const address = () => `http://127.0.0.1:${bed.stack.httpPort}`
  const version = async () => {
    const answer = (await (await fetch(`${address()}/version`)).json()) as { readonly version: string }
    return answer.version
  }
})

/** The jobs of the decision that ran, as `job=result`. */
function jobsOf(run: WorkflowRun): readonly string[] {
  const known: readonly string[] = jobNames
  return [...run.jobs].filter(([job]) => known.includes(job)).map(([job, result]) => `${job}=${result}`)
}

/** What core decides, step by step, from the facts that this run found and the results that its jobs had. */
function decided(run: WorkflowRun): readonly string[] {
  const output = (job: string, name: string) => run.outputs.get(job)?.[name] ?? ""
  const facts = parseFacts({
    "infra-changed": output("detect-changes", "infra-changed"),
    "app-changed": output("detect-changes", "app-changed"),
    "migrations-changed": output("detect-changes", "migrations-changed"),
    "infra-status": output("check-infra", "infra-status"),
    "data-present": output("check-infra", "data-present"),
    unfinished: output("check-infra", "unfinished"),
    "backup-before-migrate": "true",
    force: "",
  })
  const jobs: string[] = []
  const results: Partial<Record<JobName, JobResult>> = {}
  const progress: Progress = { results, restoreNeeded: output("recreate", "restore-needed") === "true" }
  for (let job = nextJob(facts, progress); job; job = nextJob(facts, progress)) {
    const result = run.jobs.get(job) ?? "skipped"
    jobs.push(`${job}=${result}`)
    if (result === "skipped") break
    results[job] = result as JobResult
  }
  return jobs
}

function secretsOf({ ssh, s3 }: Testbed): Readonly<Record<string, string>> {
  return {
    SSH_KEY: readFileSync(ssh.keyPath, "utf8"),
    SSH_KNOWN_HOSTS: readFileSync(ssh.knownHostsPath, "utf8"),
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
}

function cache(): string {
  return process.env.INFRA_ACTIONS_CACHE ?? "/var/cache/infra-actions"
}
