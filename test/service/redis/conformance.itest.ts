import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import { contentOf, fillAll } from "./conformance-data.ts"
import { type RedisGround, type RedisGroundOptions, redisGround, sh } from "./redis-ground.ts"

const driver = redisDriver()
const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }
const debug = ["--enable-debug-command", "local"]

const backup = async (ground: RedisGround) =>
  (await driver.backup?.(ground.service, await ground.container(), target, directWork(ground.service.host))) ??
  assert.fail()
const restore = async (ground: RedisGround, made: ServiceBackup, beforeStep: (name: string) => void = () => {}) =>
  driver.restore?.(ground.service, await ground.container(), made, directWork(ground.service.host, { beforeStep }))

const servers: readonly (readonly [string, RedisGroundOptions])[] = [
  ["redis as it comes", { args: debug }],
  [
    "redis with append-only files and a password",
    { args: [...debug, "--appendonly", "yes", "--requirepass", "in-argv"] },
  ],
  [
    "redis without save points, its own file name and directory, a password from the environment",
    {
      args: [...debug, "--save", "", "--dir", "/data/deep", "--dbfilename", "own name.rdb"],
      folders: ["deep"],
      password: "p w$'x",
    },
  ],
  ["valkey as it comes", { product: "valkey", args: debug }],
  [
    "valkey with append-only files in a directory of their own name",
    {
      product: "valkey",
      args: [...debug, "--appendonly", "yes", "--appenddirname", "log", "--appendfilename", "l.aof"],
    },
  ],
]

for (const [index, [name, options]] of servers.entries())
  test(`${name}: all types, names, expiries, groups and databases come back equal, keys that ran out are no alarm`, async () => {
    await using ground = await redisGround(`conform${index}`, options)
    await fillAll(ground)
    const before = await contentOf(ground)
    // These are in the snapshot and have run out when it is loaded: until it is taken, nobody takes them away.
    await ground.cli("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    await ground.cli("EVAL", "for n = 1, 200 do redis.call('SET', 'short' .. n, n, 'PX', 1) end", "0")
    const made = await backup(ground)
    assert(made.contents.kind !== "postgres")
    assert.equal(made.contents.product, options.product ?? "redis")
    assert.equal(made.contents.keyspace.find(({ database }) => database === 0)?.expires, 701)
    await ground.cli("FLUSHALL")
    await ground.cli("FUNCTION", "FLUSH")
    const empty = await contentOf(ground)
    for (const [what, value] of Object.entries(before)) assert.notEqual(empty[what], value, what)
    await restore(ground, made)
    assert.deepEqual(await contentOf(ground), before)
    for (const write of [
      ["SET", "after", "1"],
      ["DEL", "after"],
    ])
      await ground.cli(...write)
    await sh("docker", "restart", ground.name)
    while ((await ground.cli("PING").catch(() => "")) !== "PONG") await sleep(200)
    assert.deepEqual(await contentOf(ground), before)
  })

for (const product of ["redis", "valkey"] as const)
  test(`${product}: a million keys in two databases come back equal`, async () => {
    await using ground = await redisGround(`million-${product}`, { product, args: debug })
    const many = "redis.call('SELECT', ARGV[1]) for n = 1, 500000 do redis.call('SET', 'k' .. n, n * ARGV[1]) end"
    for (const database of ["1", "2"]) await ground.cli("EVAL", many, "0", database)
    const digest = await ground.cli("DEBUG", "DIGEST")
    const made = await backup(ground)
    assert(made.contents.kind === product)
    assert.deepEqual(
      made.contents.keyspace.map(({ database, keys }) => [database, keys]),
      [
        [1, 500_000],
        [2, 500_000],
      ],
    )
    await ground.cli("-n", "2", "DEL", "k77")
    assert.equal((await restore(ground, made))?.keys, 1_000_000)
    assert.equal(await ground.cli("DEBUG", "DIGEST"), digest)
  })

for (const args of [[], ["--appendonly", "yes"]])
  test(`a restore that dies before any step leaves the old keys or the new, never an empty server's file (${args.join(" ") || "no append-only files"})`, async () => {
    await using ground = await redisGround(`dies${args.length}`, { args })
    await ground.cli("EVAL", "for n = 1, 50 do redis.call('SET', 'k' .. n, n) end", "0")
    const made = await backup(ground)
    await ground.cli("EVAL", "for n = 51, 70 do redis.call('SET', 'k' .. n, n) end", "0")
    const steps: string[] = []
    await restore(ground, made, (step) => steps.push(step))
    assert.ok(steps.length >= 5, steps.join())
    for (const dying of steps) {
      await ground.cli("EVAL", "for n = 51, 70 do redis.call('SET', 'k' .. n, n) end", "0")
      let dead = false
      await assert.rejects(
        restore(ground, made, (step) => {
          dead ||= step === dying
          if (dead) throw new Error("dead")
        }),
      )
      // Whatever its restart policy or a person starts: it loads, and saves what it loaded when it is stopped.
      for (let times = 0; times < 2; times++) {
        await sh("docker", "restart", ground.name)
        while ((await ground.cli("PING").catch(() => "")) !== "PONG") await sleep(200)
      }
      assert.equal(await ground.cli("DBSIZE"), dying.startsWith("start") ? "50" : "70", dying)
    }
  })
