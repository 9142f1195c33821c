import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { test } from "node:test"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { redisGround } from "./redis-ground.ts"

test("a server that hangs is told as its own failure, from which there is a way back, not as the host's", async () => {
  await using ground = await redisGround("mute")
  const container = await ground.container()
  const pid = execFileSync("docker", ["inspect", "-f", "{{.State.Pid}}", container.id], { encoding: "utf8" }).trim()
  const held = redisDriver().fingerprint?.(ground.service, container)
  assert.deepEqual((await held)?.service, "cache")
  process.kill(Number(pid), "SIGSTOP")
  try {
    await assert.rejects(async () => redisDriver().fingerprint?.(ground.service, container), {
      code: "redis-not-ready",
      message: /no answer to PING/,
    })
  } finally {
    process.kill(Number(pid), "SIGCONT")
  }
})
