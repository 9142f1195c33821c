import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { it } from "node:test"
import { testbed } from "../testbed/testbed.ts"
import { type Ground, openGround } from "./ground.ts"
import { disorder, lostRows, waitForLock } from "./look.ts"
import { good } from "./loop.ts"

it("finishes a killed recreate although the run that began to finish it was killed too", async () => {
  await using ground = await openGround(20)
  const id = await backUp(ground)
  await killAt(ground, ["recreate", "--backup-id", id], "stop-postgres")
  await killAt(ground, ["backup"], "start-interrupted")
  await killAt(ground, ["backup"], "start-writers")
  assert.equal((await ground.run(["check-infra"])).outputs.unfinished, "run")
  const { log } = await good(ground, ["backup"])
  assert.match(log, /cut off while it had the app stopped/)
  assert.deepEqual(await disorder(ground, 20), [])
  assert.equal(await lostRows(ground), 0)
  assert.equal((await ground.run(["check-infra"])).outputs.unfinished, "no")
})

it("puts back what was there before when the new containers of a killed recreate do not serve", async () => {
  await using ground = await openGround(20)
  const id = await backUp(ground)
  const broken = (image: string) => `${image}\n    command: [postgres, -c, no_such_setting=1]`
  ground.changeDefinition((text) => text.replace(/image: \S*postgres:17/, broken))
  await killAt(ground, ["recreate", "--backup-id", id], "wait-healthy")
  const { log } = await good(ground, ["backup"])
  assert.match(log, /do not serve: service postgres.*Putting back what was there before/)
  assert.match(log, /the previous images serve again/)
  assert.deepEqual(await disorder(ground, 20), [])
  assert.equal(await lostRows(ground), 0)
})

it("leaves the app stopped when the data is not what the killed run had stopped, until a restore", async () => {
  await using ground = await openGround(20)
  const image = `${testbed().registry}/sample-app:v1`
  const id = await backUp(ground)
  await killAt(ground, ["recreate", "--backup-id", id], "wait-healthy")
  await ground.stopWriting()
  execFileSync("docker", ["exec", `${ground.stack.project}-dragonfly-1`, "redis-cli", "flushall"])

  const { log, outputs } = await ground.run(["backup"])
  assert.equal(outputs.reason, "keys-lost", log)
  assert.match(log, /The data of dragonfly is not what the interrupted run had stopped/)
  assert.match((await disorder(ground, 0)).join("\n"), /-api-1: Exited/)

  const { log: later } = await good(ground, ["backup", "--services", "postgres"])
  assert.match(later, /the app stays stopped until its data is restored/)
  assert.match((await disorder(ground, 0)).join("\n"), /-api-1: Exited/)

  assert.equal((await ground.run(["check-infra"])).outputs.unfinished, "restore")
  for (const action of ["pipeline", "deploy-app"]) {
    const refused = await ground.run([action, "--images", `api=${image}\nworker=${image}`])
    assert.deepEqual([refused.code, refused.outputs.reason], [2, "restore-first"], refused.log)
  }

  await good(ground, ["restore", "--backup-id", id])
  assert.deepEqual(await disorder(ground, 20), [])
})

async function backUp(ground: Ground): Promise<string> {
  const { outputs } = await good(ground, ["backup"])
  return String(outputs["backup-id"])
}

async function killAt(ground: Ground, words: readonly string[], step: string): Promise<void> {
  const { code, log } = await ground.run(words, { step, nth: 1, delay: 0 })
  assert.equal(code, null, `${words.join(" ")} never came to ${step}\n${log}`)
  await waitForLock(ground)
}
