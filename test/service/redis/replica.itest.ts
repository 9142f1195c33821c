import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { directWork } from "../../support/direct-work.ts"
import { type RedisGround, redisGround, sh } from "./redis-ground.ts"
import { backup, driver, fill, restore, target } from "./redis-rounds.ts"

async function until(ground: RedisGround, link: string): Promise<void> {
  for (let tries = 0; !(await ground.cli("INFO", "replication")).includes(`master_link_status:${link}`); tries++) {
    assert.ok(tries < 100, `the link is not ${link}`)
    await sleep(200)
  }
}

async function addressOf({ name }: RedisGround): Promise<string> {
  return (await sh("docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)).trim()
}

/** A master of 521 keys and a replica that has them. */
async function pair() {
  const master = await redisGround("master")
  await fill(master)
  const replica = await redisGround("replica", { args: ["--replicaof", await addressOf(master), "6379"] })
  await until(replica, "up")
  return { master, replica }
}

async function backedUp(ground: RedisGround, stamp = target.stamp) {
  const told: string[] = []
  const asked = { ...target, stamp, warn: (sentence: string) => told.push(sentence) }
  const work = directWork(ground.service.host)
  const made = await driver.backup?.(ground.service, await ground.container(), asked, work)
  return { made: made ?? assert.fail(), told }
}

const replication = async (ground: RedisGround) => {
  const { state, checks } = await driver.probe(ground.service, await ground.container())
  return [state, ...checks.filter(({ name }) => name === "replication").map((one) => one.state)]
}
const failed = async (ground: RedisGround) => {
  const checks = (await driver.verify?.(ground.service, await ground.container(), undefined)) ?? assert.fail()
  return checks.filter(({ state }) => state !== "ok").map(({ name, state }) => [name, state])
}

test("a replica is backed up as long as it has its master, and never restored into", async () => {
  const { master, replica } = await pair()
  await using _master = master
  await using _replica = replica
  const { made, told } = await backedUp(replica)
  assert.match(told.join("\n"), /^cache is a replica, .*:6379 is up, last heard of \d+ s ago\.$/)
  assert.deepEqual(await replication(replica), ["healthy", "ok"])
  assert.deepEqual(await failed(replica), [])
  assert.deepEqual(await replication(master), ["healthy"])
  assert.deepEqual((await backedUp(master)).told, [])

  const steps: string[] = []
  const refused = { kind: "refused", code: "redis-replica", message: /replica of .*:6379/, hint: /on the master/ }
  await assert.rejects(
    restore(replica, made, (name) => void steps.push(name)),
    refused,
  )
  const how = { work: directWork(replica.service.host), inPlace: false }
  const looked = driver.assertRestorable?.(replica.service, await replica.container(), made, how) ?? assert.fail()
  await assert.rejects(looked, refused)
  assert.deepEqual(steps, [])
  await driver.assertRestorable?.(master.service, await master.container(), made, how)

  // A stopped one does not say what it is before it is started.
  await sh("docker", "stop", replica.name)
  await assert.rejects(restore(replica, made), {
    code: "restore-failed",
    message: /replica of/,
    hint: /on the master/,
  })
  assert.match(await replica.files(), /^\.\/dump\.rdb$/m)
  assert.doesNotMatch(await replica.files(), /\/\.(pre-)?restore-/)
  assert.equal((await replica.container()).state, "exited")
  await sh("docker", "start", replica.name)
  await replica.ready()

  await sh("docker", "stop", master.name)
  await until(replica, "down")
  assert.deepEqual(await replication(replica), ["degraded", "warning"])
  assert.deepEqual(await failed(replica), [["replication", "failed"]])
  const before = readdirSync(`${replica.backups}/dragonfly`)
  await assert.rejects(backup(replica), {
    kind: "refused",
    code: "redis-replica-stale",
    message: /:6379 is down since \d+ s.*as old as that/,
  })
  assert.deepEqual(readdirSync(`${replica.backups}/dragonfly`), before)
  // Its word for a server that lost its master is an error to PING, too.
  await replica.cli("CONFIG", "SET", "replica-serve-stale-data", "no")
  await assert.rejects(backup(replica), { code: "redis-not-ready", message: /MASTERDOWN/, hint: /master/ })
  await assert.rejects(restore(replica, made), refused)
  // The way that is told.
  await replica.cli("REPLICAOF", "NO", "ONE")
  assert.deepEqual((await backedUp(replica, "2026-11-21-040000")).told, [])
})

test("a replica that never had its master is no backup", async () => {
  await using ground = await redisGround("orphan", { product: "valkey", args: ["--replicaof", "127.0.0.1", "7777"] })
  await assert.rejects(backup(ground), {
    code: "redis-replica-stale",
    message: /127\.0\.0\.1:7777 is down, and was not up since the server started/,
  })
  assert.deepEqual(await replication(ground), ["degraded", "warning"])
})

test("an undo is refused where the server became a replica after the restore", async () => {
  await using ground = await redisGround("turned")
  await fill(ground)
  const made = await backup(ground)
  await restore(ground, made)
  await ground.cli("REPLICAOF", "127.0.0.1", "7777")
  const work = directWork(ground.service.host)
  await assert.rejects(driver.undo?.(ground.service, await ground.container(), work) ?? assert.fail(), {
    code: "redis-replica",
  })
  assert.deepEqual(work.steps, [])
})
