import assert from "node:assert/strict"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import type { RedisGround } from "./redis-ground.ts"

export const driver = redisDriver()
export const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }

export async function backup(ground: RedisGround): Promise<ServiceBackup> {
  assert(driver.backup)
  return driver.backup(ground.service, await ground.container(), target, directWork(ground.service.host))
}

export async function restore(
  ground: RedisGround,
  from: ServiceBackup,
  beforeStep?: (name: string) => void | Promise<void>,
) {
  assert(driver.restore)
  const work = directWork(ground.service.host, beforeStep ? { beforeStep } : {})
  return driver.restore(ground.service, await ground.container(), from, work)
}

export async function fill(ground: RedisGround): Promise<void> {
  await ground.cli("EVAL", "for i=1,500 do redis.call('SET','k'..i,string.rep('x',i)) end", "0")
  await ground.cli(
    "-n",
    "3",
    "EVAL",
    "for i=1,20 do redis.call('SET','t'..i,i,'EX',1000) end redis.call('SET','p','1')",
    "0",
  )
}
