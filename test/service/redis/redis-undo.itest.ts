import assert from "node:assert/strict"
import { test } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import { type RedisGround, type RedisGroundOptions, redisGround, sh } from "./redis-ground.ts"

const driver = redisDriver()
const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }

/** A server whose backup of 50 keys was restored over 60 keys that were there by then. */
async function restored(
  word: string,
  options?: RedisGroundOptions,
): Promise<{ ground: RedisGround; made: ServiceBackup }> {
  const ground = await redisGround(word, options)
  await ground.cli("EVAL", "for i=1,50 do redis.call('SET','k'..i,i) end", "0")
  const made = (await driver.backup?.(ground.service, await ground.container(), target, work(ground))) ?? assert.fail()
  await ground.cli("EVAL", "for i=1,59 do redis.call('SET','k'..i,'new') end", "0")
  await ground.cli("-n", "2", "SET", "other", "1")
  await ground.cli("SET", "soon", "gone", "EX", "1000")
  await restore(ground, made)
  return { ground, made }
}

const work = (ground: RedisGround, beforeStep?: (name: string) => void | Promise<void>) =>
  directWork(ground.service.host, beforeStep ? { beforeStep } : {})
const restore = async (ground: RedisGround, made: ServiceBackup) =>
  driver.restore?.(ground.service, await ground.container(), made, work(ground))
const undo = async (ground: RedisGround, beforeStep?: (name: string) => void | Promise<void>) =>
  (await driver.undo?.(ground.service, await ground.container(), work(ground, beforeStep))) ?? assert.fail()
const replaced = async (ground: RedisGround) =>
  (await driver.replaced?.(ground.service, await ground.container())) ?? assert.fail()
/** Keys of both databases and a value that tells the two states apart. */
const state = async (ground: RedisGround) =>
  [await ground.cli("DBSIZE"), await ground.cli("-n", "2", "DBSIZE"), await ground.cli("GET", "k7")].join()

for (const [word, args] of [
  ["undo-rdb", []],
  ["undo-aof", ["--appendonly", "yes"]],
] as const)
  test(`a restore is taken back, and that too, and it lasts over a kill (${word})`, async () => {
    const { ground, made } = await restored(word, { args })
    await using _ = ground
    assert.equal(await state(ground), "50,0,7")
    assert.match(await undo(ground), /^The keys of cache as before the restore of 20\S+Z; .*\.pre-restore-direct-/)
    assert.equal(await state(ground), "60,1,new")
    assert.equal((await replaced(ground)).length, 1)
    await undo(ground)
    assert.equal(await state(ground), "50,0,7")
    await undo(ground)
    await sh("docker", "kill", ground.name)
    await sh("docker", "start", ground.name)
    await ready(ground)
    assert.equal(await state(ground), "60,1,new")
    assert.equal((await replaced(ground)).length, 1)
    assert.doesNotMatch(await ground.files(), /failed-restore/)
    assert.equal((await restore(ground, made))?.keys, 50)
  })

test("the newest restore is the one that is taken back; what was replaced is listed with its time, size and run", async () => {
  const { ground, made } = await restored("undo-newest")
  await using _ = ground
  await ground.cli("SET", "later", "1")
  await restore(ground, made)
  const kept = await replaced(ground)
  assert.equal(kept.length, 2)
  assert.ok(kept.every((one) => Math.abs(Date.parse(one.at ?? "") - Date.now()) < 60_000 && one.bytes > 0 && one.run))
  await undo(ground)
  assert.equal(await ground.cli("GET", "later"), "1")
  assert.equal(await state(ground), "51,0,7")
})

test("old data that does not load, or with fewer keys than it had, changes nothing and stays for another try", async () => {
  const { ground } = await restored("undo-bad")
  await using _ = ground
  const folder = (await replaced(ground))[0]?.name ?? assert.fail()
  const inside = (text: string) => sh("docker", "exec", ground.name, "sh", "-c", `cd /data/${folder} && ${text}`)
  await inside("cp dump.rdb .good && head -c 40 .good >dump.rdb")
  await assert.rejects(undo(ground), /before the restore is in its place/)
  assert.equal(await state(ground), "50,0,7")
  assert.equal((await replaced(ground))[0]?.name, folder)
  await inside('cp .good dump.rdb && sed -i \'s/"db0.keys":59/"db0.keys":61/\' .moved && grep -q keys.:61 .moved')
  await assert.rejects(undo(ground), /db0\.keys 59 instead of 61.*before the restore is in its place/)
  assert.equal(await state(ground), "50,0,7")
  await inside('sed -i \'s/"db0.keys":61/"db0.keys":59/\' .moved && rm .good')
  for (const step of ["take-back-cache", "start-cache"]) {
    await assert.rejects(
      undo(ground, (name) => {
        if (name === step) throw new Error(`cut at ${name}`)
      }),
      /cut at/,
    )
    assert.equal(await state(ground), "50,0,7", step)
    assert.equal((await replaced(ground)).length, 1, step)
  }
  await undo(ground)
  assert.equal(await state(ground), "60,1,new")
})

test("several swaps of one run overwrite nothing: each set that is moved aside keeps a folder of its own", async () => {
  const { ground, made } = await restored("undo-same")
  await using _ = ground
  const one = work(ground)
  const container = await ground.container()
  await ground.cli("SET", "first", "1")
  await driver.restore?.(ground.service, container, made, one)
  await ground.cli("SET", "second", "1")
  await driver.restore?.(ground.service, container, made, one)
  assert.equal((await replaced(ground)).length, 3)
  const found = []
  for (const { name } of await replaced(ground))
    found.push(
      await sh("docker", "exec", ground.name, "sh", "-c", `grep -ao -e first -e second /data/${name}/dump.rdb || :`),
    )
  assert.deepEqual(found.map((text) => text.trim()).sort(), ["", "first", "second"])
  for (const second of ["1", "", "1"]) {
    await driver.undo?.(ground.service, container, one)
    assert.equal(await ground.cli("GET", "second"), second)
    assert.equal((await replaced(ground)).length, 3)
  }
  // A restore that fails after an earlier one of its run goes back to that one's data.
  const fail = work(ground, (name) => {
    if (name === "start-cache") throw new Error("cut")
  })
  await assert.rejects(driver.restore?.(ground.service, container, made, { ...fail, id: one.id }) ?? assert.fail())
  assert.equal(await ground.cli("GET", "second"), "1")
})

test("nothing to take back is refused; only what a restore replaced is removed", async () => {
  const { ground, made } = await restored("undo-clean")
  await using _ = ground
  const remove = async (...names: readonly string[]) =>
    driver.removeReplaced?.(ground.service, await ground.container(), names, work(ground))
  const [one] = await replaced(ground)
  assert(one)
  await assert.rejects(
    driver.restore?.(
      ground.service,
      await ground.container(),
      made,
      work(ground, (name) => {
        if (name === "start-cache") throw new Error("cut")
      }),
    ) ?? assert.fail(),
    /before the restore is in its place/,
  )
  const brought = (await replaced(ground)).find(({ failed }) => failed)
  assert(brought)
  assert.match(brought.name, /^\.failed-restore-direct-/)
  assert.ok(Math.abs(Date.parse(brought.at ?? "") - Date.now()) < 60_000 && brought.bytes > 0)
  await sh("docker", "exec", ground.name, "mkdir", "/data/.pre-restore-foreign")
  for (const name of [".", "dump.rdb", ".pre-restore-foreign", "../data", ".pre-restore-"])
    await assert.rejects(remove(one.name, name), { code: "not-replaced" })
  assert.equal((await replaced(ground)).length, 2)
  await undo(ground)
  assert.equal(await state(ground), "60,1,new", "not what the failed restore had brought")
  await undo(ground)
  await remove(...(await replaced(ground)).map(({ name }) => name))
  assert.deepEqual(await replaced(ground), [])
  assert.match(await ground.files(), /pre-restore-foreign/)
  assert.equal(await state(ground), "50,0,7")
  await assert.rejects(undo(ground), { kind: "refused", code: "nothing-to-undo" })
})

async function ready(ground: RedisGround): Promise<void> {
  while ((await ground.cli("PING").catch(() => "")) !== "PONG") await new Promise((resolve) => setTimeout(resolve, 100))
}
