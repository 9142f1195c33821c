import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, before, describe, test } from "node:test"
import { type PublishedGround, publishedGround } from "../published/ground.ts"
import { hostSnapshot } from "../published/host-snapshot.ts"
import { commandsOf, typed } from "./typed.ts"

const commands = commandsOf("README.md")

describe("the README's commands, typed in the consumer's checkout", () => {
  let ground: PublishedGround
  let backupId: string
  before(async () => {
    ground = await publishedGround(19)
    const { code, stdout, stderr } = await typed(ground, "infra-actions backup --json")
    assert.equal(code, 0, stderr)
    backupId = JSON.parse(stdout)["backup-id"]
  })
  after(() => ground?.[Symbol.asyncDispose]())

  /** Runs a dry run, and holds for it that the host is what it was and no secret is shown; its log and its outputs. */
  async function dry(line: string): Promise<string> {
    const earlier = hostSnapshot(ground.bed.stack)
    const { code, stdout, stderr } = await typed(ground, line)
    assert.equal(code, 0, stderr)
    assert.deepEqual(hostSnapshot(ground.bed.stack), earlier)
    assert.match(stdout, /^reason=dry-run$|"reason":"dry-run"/m)
    assert.match(stderr, /Dry run: nothing was changed/)
    for (const secret of ground.secrets) assert.ok(!stderr.includes(secret) && !stdout.includes(secret))
    return `${stderr}\n${stdout}`
  }

  test("are all known here", () => {
    assert.deepEqual(
      commands.filter((one) => !one.startsWith("alias ")),
      [
        "script/demo", // test/demo/demo.itest.ts
        "script/test", // what runs this
        "infra-actions check-infra --config infra.yml",
        "infra-actions backup --config infra.yml --dry-run",
        "infra-actions restore --config infra.yml --backup-id latest --dry-run",
        "infra-actions drill --config infra.yml --source s3",
        "infra-actions lock --config infra.yml --mode status --json",
      ],
    )
  })

  test("drill --source s3", async () => {
    const { code, stdout, stderr } = await typed(ground, "infra-actions drill --config infra.yml --source s3")
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^drill-status=success$/m)
  })

  test("check-infra", async () => {
    const { code, stdout, stderr } = await typed(ground, "infra-actions check-infra --config infra.yml")
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^infra-status=healthy$/m)
  })

  test("lock --mode status --json", async () => {
    const { code, stdout, stderr } = await typed(ground, "infra-actions lock --config infra.yml --mode status --json")
    assert.equal(code, 0, stderr)
    assert.deepEqual([JSON.parse(stdout).acquired, JSON.parse(stdout).holder], [false, ""])
  })

  test("backup --dry-run", async () => {
    const log = await dry("infra-actions backup --config infra.yml --dry-run")
    assert.match(log, /would do dump-postgres-healthcare:/)
    assert.match(log, /pg_dump/)
    madeNone(log)
    assert.match(log, /No backup was made: these files would be/)
    assert.match(log, /^storage-local=not-run$/m)
  })

  test("restore --dry-run", async () => {
    const log = await dry("infra-actions restore --config infra.yml --backup-id latest --dry-run")
    assert.match(log, /would do /)
    assert.match(log, /pg_restore/)
    assert.match(log, new RegExp(backupId))
  })

  test("recreate --dry-run", async () => {
    const log = await dry(`infra-actions recreate --backup-id ${backupId} --dry-run`)
    assert.match(log, /would do recreate-containers:/)
    assert.match(log, /up .*--force-recreate/)
  })

  test("deploy-app --dry-run", async () => {
    const image = `${ground.bed.registry}/sample-app:v2`
    const log = await dry(`infra-actions deploy-app --images 'api=${image} worker=${image}' --dry-run`)
    assert.match(log, /would do start-new:/)
    assert.match(log, new RegExp(image))
  })

  test("pipeline --dry-run: everything that a first run would do", async () => {
    const log = await dry("infra-actions pipeline --dry-run")
    for (const job of ["backup", "recreate", "verify", "deploy-app"])
      assert.match(log, new RegExp(`^${job}: success`, "m"))
    madeNone(log)
  })

  /** Nothing tells of a backup that is not there: no id, no size, no proof. */
  function madeNone(log: string): void {
    assert.match(log, /^backup-id=$/m)
    assert.doesNotMatch(log, /, proven|\b1 B\b|\b0{12}\b|counted in the dump/)
  }

  test("debug --dry-run: the fix of a stopped container", async () => {
    execFileSync("docker", ["stop", "--time=0", `${ground.bed.stack.project}-coturn-1`], { stdio: "ignore" })
    const log = await dry("infra-actions debug --dry-run")
    assert.match(log, /would do /)
    assert.match(log, /docker.* start/)
  })
})
