import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { test } from "node:test"
import { compareFingerprints } from "../../../src/core/fingerprint.ts"
import { directWork } from "../../support/direct-work.ts"
import { redisGround, sh } from "./redis-ground.ts"
import { backup, driver, fill, restore } from "./redis-rounds.ts"

test("a backup holds what its own snapshot counted, while others write", async () => {
  await using ground = await redisGround("backup", { password: "p w$'x" })
  await fill(ground)
  const health = await driver.probe(ground.service, await ground.container())
  assert.equal(health.state, "healthy", JSON.stringify(health))
  assert.equal(health.details.keys, 521)
  let writing = true
  const writer = (async () => {
    await ground.cli("EVAL", "for i=1,50 do redis.call('SET','live'..i,'1') end", "0")
    for (let at = 0; writing; at++) await ground.cli("SET", `live${at % 100}`, "1")
  })()
  const made = await backup(ground)
  writing = false
  await writer
  const [artifact] = made.artifacts
  assert(artifact && made.contents.kind === "redis")
  const stored = readFileSync(`${ground.backups}/${artifact.file}`)
  assert.equal(artifact.file, "dragonfly/cache-2026-11-21-030000.rdb")
  assert.equal(createHash("sha256").update(stored).digest("hex"), artifact.sha256)
  assert.equal(statSync(`${ground.backups}/${artifact.file}`).mode & 0o777, 0o600)
  assert.equal(statSync(`${ground.backups}/dragonfly`).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(`${ground.backups}/dragonfly`), ["cache-2026-11-21-030000.rdb"])
  assert(made.contents.keyspace[0] && made.contents.keyspace[0].keys >= 500)
  assert.deepEqual(made.contents.keyspace[1], { database: 3, keys: 21, expires: 20 })
})

for (const product of ["redis", "valkey"] as const)
  test(`a backup of a ${product} that is written to all the time is restored without an alarm, and with each key that it counted`, async () => {
    await using ground = await redisGround(`busy-${product}`, { product })
    await fill(ground)
    // Keys come, go and run out in three databases, from a client beside the server, until that stops.
    const round = 'printf "SELECT $((i % 3))\\nSET a$i x\\nSET b$i x PX $((i % 7 * 100 + 1))\\nDEL a$((i - 40))\\n"'
    const loop = `i=1000; while :; do n=0; while [ $n -lt 50 ]; do ${round}; i=$((i + 1)); n=$((n + 1)); done | ${product}-cli >/dev/null; i=$((i + 50)); done`
    for (let times = 0; times < 3; times++) {
      const still = await ground.cli("DBSIZE")
      await sh("docker", "exec", "--detach", ground.name, "sh", "-c", loop)
      while ((await ground.cli("DBSIZE")) === still);
      const stamp = `2026-11-21-03000${times}`
      const made =
        (await driver.backup?.(
          ground.service,
          await ground.container(),
          { id: `backup-20261121-03000${times}`, stamp },
          directWork(ground.service.host),
        )) ?? assert.fail()
      assert(made.contents.kind === product)
      const counted = made.contents.keyspace.reduce((sum, { keys }) => sum + keys, 0)
      assert.ok(counted > 521, JSON.stringify(made.contents))
      assert.equal((await restore(ground, made))?.keys, counted)
      const told = await ground.cli("INFO", "persistence")
      const [loaded, expired] = ["loaded", "expired"].map((word) =>
        Number(new RegExp(`rdb_last_load_keys_${word}:(\\d+)`).exec(told)?.[1]),
      )
      assert.equal((loaded ?? 0) + (expired ?? 0), counted)
    }
  })

test("a restore brings the snapshot's keys back and keeps what it replaced", async () => {
  await using ground = await redisGround("restore", { args: ["--requirepass", "in-argv"] })
  await fill(ground)
  const made = await backup(ground)
  await ground.cli("FLUSHALL")
  await ground.cli("SET", "newer", "1")
  const report = await restore(ground, made)
  assert.equal(report.keys, 521)
  assert.equal(await ground.cli("DBSIZE"), "500")
  assert.equal(await ground.cli("-n", "3", "GET", "p"), "1")
  assert.equal(await ground.cli("EXISTS", "newer"), "0")
  assert.match(await ground.files(), /\.pre-restore-[^/]*\/dump\.rdb/)
  assert.doesNotMatch(await ground.files(), /\/\.restore-/)
  const checks = await driver.verify?.(ground.service, await ground.container(), made)
  assert(
    checks?.every((one) => one.state === "ok"),
    JSON.stringify(checks),
  )
  // That the server takes no write is no word about the backup that it was restored from.
  await ground.cli("CONFIG", "SET", "min-replicas-to-write", "1")
  for (const [restored, state] of [
    [false, "failed"],
    [true, "warning"],
  ] as const) {
    const found = await driver.verify?.(ground.service, await ground.container(), made, { restored })
    assert.deepEqual(
      found?.filter((one) => one.state !== "ok").map((one) => [one.name, one.state]),
      [["round-trip", state]],
    )
  }
  await ground.cli("CONFIG", "SET", "min-replicas-to-write", "0")
  // It must still be there after a stop that saves.
  await sh("docker", "restart", ground.name)
  await ground.ready()
  assert.equal(await ground.cli("DBSIZE"), "500")
})

test("with the append-only file on, a restore lasts over a kill", async () => {
  await using ground = await redisGround("aof", { args: ["--appendonly", "yes"] })
  await fill(ground)
  const made = await backup(ground)
  await ground.cli("FLUSHALL")
  await restore(ground, made)
  // It answers when that is written.
  await ground.cli("CONFIG", "SET", "appendfsync", "always")
  await ground.cli("SET", "after", "1")
  await sh("docker", "kill", ground.name)
  await sh("docker", "start", ground.name)
  await ground.ready()
  assert.equal(await ground.cli("DBSIZE"), "501")
})

test("a stop saves everything and proves it; the fingerprint is the same after a start", async () => {
  await using ground = await redisGround("stop", { args: ["--save", ""] })
  await fill(ground)
  const before = (await driver.fingerprint?.(ground.service, await ground.container())) ?? assert.fail()
  assert.deepEqual(before.atLeast, { "db0.keys": 500, "db3.keys": 1 })
  const work = directWork(ground.service.host)
  const left = (await driver.stop?.(ground.service, await ground.container(), work)) ?? assert.fail()
  const { lasting = {}, ...rest } = left
  assert.deepEqual([rest.same, rest.atLeast], [before.same, before.atLeast])
  // Those with an expiry had 1000 s to go.
  const [until = 0, ...none] = Object.values(lasting)
  assert.deepEqual([Object.keys(lasting), none], [["db3.expiring-keys"], []])
  const remaining = until - Date.now() / 1000
  assert.ok(remaining > 900 && remaining <= 1000, `${remaining} s`)
  assert.equal((await ground.container()).state, "exited")
  const stopped = await driver.probe(ground.service, await ground.container())
  assert.equal(stopped.state, "unhealthy")
  await sh("docker", "start", ground.name)
  await ground.ready()
  const again = (await driver.fingerprint?.(ground.service, await ground.container())) ?? assert.fail()
  assert.deepEqual(compareFingerprints([left], [again]), [])
  await ground.cli("-n", "3", "EVAL", "for i=1,20 do redis.call('DEL','t'..i) end", "0")
  const gone = (await driver.fingerprint?.(ground.service, await ground.container())) ?? assert.fail()
  assert.deepEqual(
    compareFingerprints([left], [gone]).map(({ fact }) => fact),
    ["db3.expiring-keys"],
  )
})

test("a data directory without room is refused with numbers before the save makes the server read-only", async () => {
  await using ground = await redisGround("small", { size: "2m" })
  await ground.cli("SET", "a", "1")
  await assert.rejects(backup(ground), /\/data has \d+ KiB free, the snapshot may need \d+ KiB/)
  assert.equal(await ground.cli("SET", "b", "1"), "OK")
  assert.deepEqual(readdirSync(`${ground.backups}/dragonfly`), [])
})

test("a paused server is unhealthy, and a password that is not to be found is unknown", async () => {
  await using ground = await redisGround("probe")
  await ground.cli("CONFIG", "SET", "requirepass", "nobody-knows")
  assert.equal((await driver.probe(ground.service, await ground.container())).state, "unknown")
  await sh("docker", "pause", ground.name)
  const health = await driver.probe(ground.service, await ground.container())
  await sh("docker", "unpause", ground.name)
  assert.equal(health.state, "unhealthy")
})
