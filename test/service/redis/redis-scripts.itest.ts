import assert from "node:assert/strict"
import { test } from "node:test"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { shells, shellWork } from "../../support/shell-work.ts"
import { redisGround } from "./redis-ground.ts"

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
