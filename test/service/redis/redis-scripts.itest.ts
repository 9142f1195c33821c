import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { test } from "node:test"
import { remoteScript } from "../../../src/remote/scripts.ts"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { shells, shellWork } from "../../support/shell-work.ts"
import { redisGround, sh } from "./redis-ground.ts"

const driver = redisDriver()

for (const shell of shells) {
  test(`backup, stop and restore mean the same under ${shell.join(" ")}`, async () => {
    await using ground = await redisGround(`sh-${shell[0]}`, { password: "a b" })
    await ground.cli("EVAL", "for i=1,50 do redis.call('SET','k'..i,i) end", "0")
    const work = shellWork(shell)
    const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }
    const made = await driver.backup?.(ground.service, await ground.container(), target, work)
    assert(made?.contents.kind === "redis")
    assert.deepEqual(made.contents.keyspace, [{ database: 0, keys: 50, expires: 0 }])
    await ground.cli("FLUSHALL")
    assert.equal((await driver.restore?.(ground.service, await ground.container(), made, work))?.keys, 50)
    assert.equal(await ground.cli("DBSIZE"), "50")
  })
}

test("work on the data directory that is asked to end is gone, its container too, however its own commands wait", async () => {
  await using ground = await redisGround("asked")
  const { id, imageId } = await ground.container()
  const mark = `sleep 60; echo ${ground.name}`
  const text = `${remoteScript("redis-data")}\nat_data "$1" "$2" "$3" </dev/null`
  const working = spawn("dash", ["-c", text, "sh", mark, id, imageId], { detached: true })
  const scratch = async () => {
    const ids = (await sh("docker", "ps", "-q", "--filter", "label=infra-actions.scratch=1")).split("\n")
    const commands = ids.filter(Boolean).map((one) => sh("docker", "inspect", "-f", "{{.Args}}", one).catch(() => ""))
    return (await Promise.all(commands)).filter((one) => one.includes(mark)).length
  }
  for (let looks = 0; (await scratch()) === 0; looks += 1) assert.ok(looks < 100 && working.exitCode === null)
  const ended = once(working, "close", { signal: AbortSignal.timeout(20_000) })
  process.kill(-(working.pid ?? assert.fail("not started")), "SIGTERM")
  await ended
  assert.equal(await scratch(), 0)
})
