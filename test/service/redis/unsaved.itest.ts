import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import { type RedisGround, redisGround, sh } from "./redis-ground.ts"

const driver = redisDriver()
const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }
const work = (ground: RedisGround) => directWork(ground.service.host)

test("a restore does not stop a server that could not save what it holds", async () => {
  await using ground = await redisGround("unsaved", { args: ["--save", ""] })
  await ground.cli("EVAL", "for i=1,50 do redis.call('SET','k'..i,i) end", "0")
  const made = (await driver.backup?.(ground.service, await ground.container(), target, work(ground))) ?? assert.fail()
  await ground.cli("SET", "later", "1")
  // Where a directory has the name of the file, no save succeeds, also of root.
  const inside = (text: string) => sh("docker", "exec", ground.name, "sh", "-c", text)
  await inside("rm -f /data/dump.rdb && mkdir /data/dump.rdb")
  await ground.cli("CONFIG", "SET", "save", "3600 1")
  await ground.cli("BGSAVE")
  while ((await ground.cli("INFO", "persistence")).includes("rdb_bgsave_in_progress:1")) await sleep(50)
  const restore = async () => driver.restore?.(ground.service, await ground.container(), made, work(ground))
  const files = await ground.files()
  await assert.rejects(restore(), {
    code: "redis-not-ready",
    message: /may hold what it has not saved: PING was answered with: MISCONF/,
  })
  await sh("docker", "pause", ground.name)
  await assert.rejects(restore(), { code: "redis-not-ready" })
  await sh("docker", "unpause", ground.name)
  assert.equal((await ground.container()).state, "running")
  assert.equal(await ground.files(), files)
  assert.equal(await ground.cli("GET", "later"), "1")
  await inside("rmdir /data/dump.rdb")
  await ground.cli("BGSAVE")
  while (!(await ground.cli("INFO", "persistence")).includes("rdb_last_bgsave_status:ok")) await sleep(50)
  assert.equal((await restore())?.keys, 50)
})
