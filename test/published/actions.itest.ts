import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, before, describe, test } from "node:test"
import { contractOf } from "../../script/build-steps/metadata.ts"
import type { ActionRun } from "../support/run-action.ts"
import { type PublishedGround, publishedGround } from "./ground.ts"

/** One workflow run, whose steps go on with what earlier ones gave. */
describe("every action of the published tree, as a runner runs it", () => {
  let ground: PublishedGround
  before(async () => {
    ground = await publishedGround(10)
  })
  after(() => ground?.[Symbol.asyncDispose]())

  /** Runs it, and holds for it what holds for every action. */
  async function good(name: string, inputs: Readonly<Record<string, string>> = {}): Promise<ActionRun> {
    const run = await ground.step(name, inputs)
    assert.equal(run.code, 0, run.log)
    const contract = await contractOf(name)
    assert.deepEqual(Object.keys(run.outputs).sort(), Object.keys(contract.outputs.shape).sort())
    assert.equal(run.outputs.status, "success")
    const given = Object.values(ground.access(name)).join("\n")
    for (const secret of ground.secrets) {
      assert.equal(run.masked.includes(secret), given.includes(secret))
      for (const seen of [withoutMasks(run.log), run.summary, JSON.stringify(run.outputs)])
        assert.ok(!seen.includes(secret), `${name} shows a secret`)
    }
    return run
  }

  let lock: ActionRun
  let backupId: string
  test("lock: taken for the jobs that follow", async () => {
    lock = await good("lock", { keep: "true", purpose: "published" })
    assert.equal(lock.outputs.acquired, "true")
    assert.equal((await lock.post())?.code, 0)
  })

  test("detect-changes: all is new to a host that was never deployed to", async () => {
    const { outputs, summary } = await good("detect-changes")
    assert.deepEqual(
      [outputs["infra-changed"], outputs["app-changed"], outputs["base-source"]],
      ["true", "true", "none"],
    )
    assert.match(summary, /\| infra \| all \|/)
  })

  test("check-infra: healthy, with data", async () => {
    const { outputs, summary } = await good("check-infra")
    assert.deepEqual(
      [outputs["infra-status"], outputs["infra-healthy"], outputs["data-present"], outputs["exit-code"]],
      ["healthy", "true", "true", "0"],
    )
    const details = JSON.parse(outputs["infra-details"] ?? "")
    assert.equal(details.services.postgres.status, "healthy")
    assert.match(summary, /postgres: pg_isready \| ok/)
  })

  const held = () => ({ "lock-number": lock.outputs["lock-number"] ?? "" })

  test("backup: proven, here and in S3", async () => {
    const { outputs, summary } = await good("backup", held())
    backupId = outputs["backup-id"] ?? ""
    assert.match(backupId, /^backup-\d{8}-\d{6}$/)
    assert.deepEqual([outputs["storage-local"], outputs["storage-s3"]], ["success", "success"])
    assert.ok(Number(outputs["backup-size"]) > 1000)
    execFileSync("test", ["-s", outputs["backup-location"] ?? ""])
    assert.match(summary, new RegExp(backupId))
  })

  test("recreate: with that backup, and the data is the same", async () => {
    const { outputs, summary } = await good("recreate", { ...held(), "backup-id": backupId })
    assert.deepEqual(
      [outputs["recreation-status"], outputs["data-intact"], outputs["restore-needed"], outputs["rolled-back"]],
      ["success", "true", "false", "false"],
    )
    assert.match(summary, /The data is the same/)
  })

  test("restore: that backup, from S3", async () => {
    const { outputs, summary } = await good("restore", { ...held(), "backup-id": backupId, source: "s3" })
    assert.deepEqual([outputs["restore-status"], outputs.source, outputs["backup-id"]], ["success", "s3", backupId])
    assert.ok(Number(outputs["rows-restored"]) > 104 && Number(outputs["keys-restored"]) > 0)
    assert.match(summary, /equal to its manifest/)
  })

  test("verify: the data is that of the backup", async () => {
    const { outputs, summary } = await good("verify", { "backup-id": backupId })
    assert.equal(outputs["verification-status"], "success")
    assert.equal(outputs["data-status"], "success")
    JSON.parse(outputs["verification-details"] ?? "")
    assert.match(summary, /./)
  })

  test("deploy-app: another version", async () => {
    const image = `${ground.bed.registry}/sample-app:v2`
    const { outputs, summary } = await good("deploy-app", { ...held(), images: `api=${image}\nworker=${image}` })
    assert.equal(outputs["deploy-status"], "success")
    assert.match(outputs.images ?? "", /^api=.*@sha256:[0-9a-f]{64}\nworker=.*@sha256:[0-9a-f]{64}$/)
    assert.match(summary, /./)
  })

  test("debug: starts what is stopped", async () => {
    execFileSync("docker", ["stop", "--time=0", `${ground.bed.stack.project}-coturn-1`], { stdio: "ignore" })
    const { outputs, summary } = await good("debug", held())
    assert.equal(outputs["debug-status"], "fixed")
    assert.match(outputs["fixes-applied"] ?? "", /start/)
    JSON.parse(outputs["debug-details"] ?? "")
    assert.match(summary, /coturn/)
  })

  test("pipeline: under the same lock, nothing to do, or only what is asked for", async () => {
    const idle = await good("pipeline", held())
    assert.deepEqual([idle.outputs.rule, idle.outputs["jobs-run"]], ["nothing-to-do", ""])
    assert.match(idle.summary, /nothing to do/)
    const { outputs } = await good("pipeline", { ...held(), force: "verify" })
    assert.deepEqual([outputs.rule, outputs["jobs-run"]], ["forced", "verify=success"])
  })

  test("lock: given back", async () => {
    const { outputs } = await good("lock", { ...held(), mode: "release" })
    assert.deepEqual([outputs.acquired, outputs.holder], ["false", ""])
  })
})

/** The log as a person sees it: the runner takes the commands by which it is told what to hide. */
function withoutMasks(log: string): string {
  return log.replaceAll(/^::add-mask::.*$/gm, "")
}
