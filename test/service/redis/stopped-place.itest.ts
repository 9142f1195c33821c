import assert from "node:assert/strict"
import { test } from "node:test"
import type { CutRestore } from "../../../src/service/cut-work.ts"
import { readSettings } from "../../../src/service/redis/data-settings.ts"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import { type RedisGround, type RedisGroundOptions, redisGround, sh } from "./redis-ground.ts"

const driver = redisDriver()
const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }
const fill = (ground: RedisGround, keys: number) =>
  ground.cli("EVAL", `for i=1,${keys} do redis.call('SET','k'..i,i) end`, "0")

async function backedUp(word: string, options: RedisGroundOptions) {
  const ground = await redisGround(word, options)
  await fill(ground, 50)
  const work = directWork(ground.service.host)
  const made = (await driver.backup?.(ground.service, await ground.container(), target, work)) ?? assert.fail()
  await fill(ground, 60)
  return { ground, made, work }
}

/** Nothing of it happens from this step on. */
function dyingAt(ground: RedisGround, dying: string) {
  let dead = false
  return directWork(ground.service.host, {
    beforeStep: (step) => {
      dead ||= step === dying
      if (dead) throw new Error("dead")
    },
  })
}

async function keysAfterStart(ground: RedisGround): Promise<string> {
  await sh("docker", "start", ground.name)
  await ground.ready()
  return ground.cli("DBSIZE")
}

test("a restore and an undo that were cut are undone where the server's start alone knows its directory", async () => {
  const start = "cd /data/deep && exec redis-server --dbfilename own.rdb --protected-mode no"
  const { ground, made, work } = await backedUp("place", { command: ["sh", "-c", start], folders: ["deep"] })
  await using _ = ground
  const { service } = ground
  const cut: CutRestore = { ids: [work.id], backup: made, dropped: false }
  const restore = async (how: typeof work) => driver.restore?.(service, await ground.container(), made, how)

  await assert.rejects(restore({ ...dyingAt(ground, "start-cache"), id: work.id }))
  assert.deepEqual(await driver.cutRestores?.held?.(service, await ground.container(), cut), {
    service: "cache",
    same: {},
    atLeast: { "db0.keys": 60 },
  })
  const left = async () => (await driver.cutRestores?.left?.(service, await ground.container(), cut)) ?? []
  const [kept, ...none] = await left()
  assert.deepEqual([kept?.what, none], ["kept", []])
  assert.match(kept?.place ?? "", new RegExp(`^/.*/deep/\\.pre-restore-${work.id}( \\(volume \\S+\\))?$`))
  const move = async (from: string, to: string) => {
    const at = `/data/deep/.pre-restore-${work.id}`
    const { imageId } = await ground.container()
    await sh(
      "docker",
      "run",
      "--rm",
      "--volumes-from",
      ground.name,
      "--entrypoint",
      "mv",
      imageId,
      `${at}/${from}`,
      `${at}/${to}`,
    )
  }
  await move(".moved", ".away")
  assert.deepEqual(
    (await left()).map(({ what }) => what),
    ["part"],
  )
  await move(".away", ".moved")
  await driver.cutRestores?.undo(service, await ground.container(), cut, work)
  assert.deepEqual(await left(), [])
  assert.equal(await keysAfterStart(ground), "60")

  await restore(work)
  const undo = { ...dyingAt(ground, "start-cache"), id: "later" }
  await assert.rejects(async () => driver.undo?.(service, await ground.container(), undo))
  const half = { name: `.pre-restore-${work.id}`, id: "later" }
  assert.equal(await driver.cutUndos?.look(service, await ground.container(), half), "half")
  await driver.cutUndos?.back?.(service, await ground.container(), half, work)
  assert.equal(await driver.cutUndos?.look(service, await ground.container(), half), "untouched")
  assert.equal(await keysAfterStart(ground), "50")
  await driver.undo?.(service, await ground.container(), { ...work, id: "later" })
  assert.equal(await driver.cutUndos?.look(service, await ground.container(), half), "taken")
  await assert.rejects(
    async () => driver.cutUndos?.look(service, await ground.container(), { name: ".pre-restore-none", id: "none" }),
    { code: "undo-unknown" },
  )
})

test("a stopped server is restored where its configuration file means its working directory; without the file it is not", async () => {
  const { ground, made, work } = await backedUp("stock", {
    command: ["/usr/bin/redis-server", "/data/redis.conf"],
    texts: { "redis.conf": 'dir ./\nprotected-mode no\nappendonly "no"\n' },
  })
  await using _ = ground
  await sh("docker", "stop", ground.name)
  await driver.restore?.(ground.service, await ground.container(), made, work)
  assert.equal(await ground.cli("DBSIZE"), "50")
  await ground.cli("SAVE")
  await sh("docker", "exec", ground.name, "rm", "/data/redis.conf")
  await sh("docker", "stop", ground.name)
  await assert.rejects(
    async () => driver.restore?.(ground.service, await ground.container(), made, work),
    /configuration file \/data\/redis\.conf cannot be read/,
  )
})

test("the settings of a stopped Dragonfly are read from its environment and its flag file, its arguments last", async () => {
  await using ground = await redisGround("flags", {
    command: ["sh", "-c", "exec redis-server --protected-mode no", "--flagfile=flags", "--dbfilename=mine"],
    environment: ["DFLY_dir=/data/by-environment", "DFLY_dbfilename=theirs"],
    texts: { flags: "--dbfilename=its\n" },
  })
  await sh("docker", "stop", ground.name)
  const { directory, file } = await readSettings(ground.service, await ground.container(), "dragonfly")
  assert.deepEqual([directory, file], ["/data/by-environment", "mine"])
})
