import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import { redisGround, sh } from "./redis-ground.ts"
import { backup, fill, restore } from "./redis-rounds.ts"

test("a damaged file is noticed before anything is touched", async () => {
  await using ground = await redisGround("damaged")
  await fill(ground)
  const made = await backup(ground)
  const path = `${ground.backups}/${made.artifacts[0]?.file}`
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200)
  writeFileSync(path, bytes)
  const before = await ground.files()
  await assert.rejects(restore(ground, made), /SHA-256 differs/)
  // The same damage with a checksum to match: then the product's own checker has to see it.
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  const matching = { ...made, artifacts: made.artifacts.map((one) => ({ ...one, sha256 })) }
  await assert.rejects(restore(ground, matching), /not a whole snapshot/)
  assert.equal(await ground.files(), before)
  assert.equal(await ground.cli("DBSIZE"), "500")
})

test("a restore that does not load what was counted puts the old data back", async () => {
  await using ground = await redisGround("undo")
  await fill(ground)
  const made = await backup(ground)
  assert(made.contents.kind === "redis")
  const keyspace = made.contents.keyspace.map((one) => ({ ...one, database: one.database + 1 }))
  const wrong: ServiceBackup = { ...made, contents: { ...made.contents, keyspace } }
  await ground.cli("SET", "newer", "1")
  await assert.rejects(restore(ground, wrong), /instead of.*before the restore is in its place/)
  assert.equal(await ground.cli("GET", "newer"), "1")
  assert.equal(await ground.cli("DBSIZE"), "501")
  for (const step of ["stop-cache", "start-cache"]) {
    const fail = (name: string) => {
      if (name === step) throw new Error(`cut at ${name}`)
    }
    await assert.rejects(restore(ground, made, fail), /cut at/)
    assert.equal(await ground.cli("GET", "newer"), "1", step)
  }
  assert.doesNotMatch(await ground.files(), /\/\.(restore|pre-restore)-/)
})

test("a restore refuses to start a second server on the same data", async () => {
  await using ground = await redisGround("shared")
  await fill(ground)
  const made = await backup(ground)
  const other = `${ground.name}-other`
  await sh(
    "docker",
    "run",
    "-d",
    "--name",
    other,
    "--label",
    "infra-actions.testbed=1",
    "-v",
    `${ground.volume}:/data`,
    "infra-testbed/dragonfly:1",
    "sleep",
    "600",
  )
  try {
    await assert.rejects(restore(ground, made), /also runs on the data/)
    assert.equal((await ground.container()).state, "running")
  } finally {
    await sh("docker", "rm", "-f", other)
  }
})

test("a restore brings back a server whose data is gone and which does not run", async () => {
  await using ground = await redisGround("gone")
  await fill(ground)
  const made = await backup(ground)
  await sh("docker", "kill", ground.name)
  await sh(
    "docker",
    "run",
    "--rm",
    "--entrypoint",
    "sh",
    "-v",
    `${ground.volume}:/data`,
    "infra-testbed/dragonfly:1",
    "-c",
    "rm -rf /data/*",
  )
  assert.equal((await restore(ground, made)).keys, 521)
  assert.equal(await ground.cli("DBSIZE"), "500")
})

test("a server with less memory that throws keys out is told as that", async () => {
  await using ground = await redisGround("roomy")
  await ground.cli("EVAL", "for i=1,6000 do redis.call('SET','k'..i,string.rep('x',500)) end", "0")
  await ground.cli("-n", "1", "EVAL", "for i=1,6000 do redis.call('SET','e'..i,string.rep('x',500),'EX',9000) end", "0")
  const made = await backup(ground)
  const small = async (policy: string) => {
    const one = await redisGround(`small-${policy}`, { args: ["--maxmemory", "6mb", "--maxmemory-policy", policy] })
    await sh("cp", "-r", `${ground.backups}/.`, one.backups)
    return one
  }
  await using any = await small("allkeys-random")
  await assert.rejects(restore(any, made), {
    code: "restore-failed",
    message:
      /instead of 6000; it evicted \d+ of them by now, for its maxmemory is 6291456 bytes \(maxmemory-policy allkeys-random\)/,
    hint: /Raise maxmemory of cache/,
  })
  // Those with an expiry may be fewer, and are not counted: that they were thrown out is said.
  await using expiring = await small("volatile-lru")
  assert.match((await restore(expiring, made)).caveat ?? "", /^All its keys were read, but it evicted \d+ of them/)
})
