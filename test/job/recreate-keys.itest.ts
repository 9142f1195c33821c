import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { renameSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { recreate } from "../../src/job/recreate.ts"
import { restore } from "../../src/job/restore.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import {
  backupId,
  brokenProxy,
  changed,
  databaseImage,
  docker,
  image,
  newerStore,
  open,
  proxyImage,
  readCompose,
  redis,
  storeImage,
} from "./recreate-ground.ts"

const slot = 36
const services = ["postgres", "dragonfly"]

describe("recreate with a store of keys that is slow, mute, of a newer version, or undone", () => {
  let place: StackPlace
  let broken: string
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    broken = `image: ${await image("t-rec/postgres:broken", "infra-testbed/postgres:17", 'ENTRYPOINT ["false"]')}`
    const values = Array.from({ length: 20 }, (_, index) => [`k${index}`, randomBytes(2048).toString("base64")])
    redis(place, "mset", ...values.flat())
  })
  after(() => removeStack({ slot }))

  it("waits while it loads, and restores nothing over it", async () => {
    const original = readCompose(place)
    // Seven seconds for its keys, and a health check that PING's answer `LOADING` is good enough for.
    const slow = "redis-server --key-load-delay 350000 --loading-process-events-interval-bytes 1024"
    const tag = await image(
      "t-rec/dragonfly:slow",
      "infra-testbed/dragonfly:1",
      `ENTRYPOINT ["sh", "-c", "exec testbed-entrypoint.sh ${slow}"]`,
    )
    const compose = changed(place, [storeImage, `image: ${tag}`], ["redis-cli ping | grep -qx PONG", "redis-cli ping"])
    for (const [now, key] of [
      [compose, "early"],
      [compose, "late"],
      [original, "last"],
    ] as const) {
      const id = await backupId(open(place))
      redis(place, "set", key, "1")
      const result = await recreate(open(place, { compose: now }), { backupId: id, services: ["dragonfly"] })
      assert.deepEqual([result.status, result.kept], ["recreated", []], result.cause)
      assert.equal(redis(place, "exists", key), "1")
    }
  })

  it("restores nothing where nobody knows whether keys are lost, and the next run finishes", async () => {
    const id = await backupId(open(place))
    redis(place, "set", "unasked", "1")
    const tools = open(place, { compose: changed(place, [databaseImage, broken]) })
    const check: typeof tools.work.check = async (name, observe) => {
      if (name === "fingerprint-previous") redis(place, "config", "set", "requirepass", "another")
      return observe()
    }
    await assert.rejects(
      recreate({ ...tools, work: { ...tools.work, check } }, { backupId: id, services }),
      (error: unknown) => error instanceof AppError && error.code === "not-serving",
    )
    assert.match(tools.said.join("\n"), /The app is stopped, and of dragonfly, postgres not all serve/)
    assert.doesNotMatch(files(place), /-restore-/)
    await docker("restart", `${place.project}-dragonfly-1`)
    await finishInterrupted(open(place))
    assert.equal(await readStoppedApp(open(place)), undefined)
    assert.equal(redis(place, "exists", "unasked"), "1")
  })

  it("goes back from a newer version to all keys that were there when it was stopped", async () => {
    const id = await backupId(open(place))
    redis(place, "set", "unsaved", "1")
    const compose = changed(place, [storeImage, `image: ${await newerStore()}`], [databaseImage, broken])
    // It has ended by itself by the time that it is to be killed.
    const beforeStep = async (step: string) =>
      step === "kill-dragonfly" ? void (await docker("kill", `${place.project}-dragonfly-1`)) : undefined
    const result = await recreate(open(place, { compose, beforeStep }), { backupId: id, services })
    assert.equal(result.rung, "previous-images", result.cause)
    assert.match(result.cause ?? "", /service postgres/)
    assert.equal(redis(place, "exists", "unsaved"), "1")
    assert.match(redis(place, "info", "server"), /redis_version:7\.0/)
  })

  it("goes back from a newer version that has served to all keys that were there when the previous one was stopped", async () => {
    const id = await backupId(open(place))
    redis(place, "set", "after-backup", "1")
    const dumped = dumps(place)
    const compose = changed(
      place,
      [storeImage, `image: ${await newerStore()}`],
      [proxyImage, `image: ${await brokenProxy()}`],
    )
    const result = await recreate(open(place, { compose }), { backupId: id, services: ["dragonfly", "nginx"] })
    assert.equal(result.rung, "backup", result.cause)
    const difference = { service: "dragonfly", fact: "restored", before: "as the new containers left it" }
    assert.deepEqual(result.differences, [{ ...difference, after: "as it was stopped" }])
    assert.equal(redis(place, "exists", "after-backup"), "1")
    assert.match(redis(place, "info", "server"), /redis_version:7\.0/)
    assert.equal(dumps(place), dumped, "what was dumped for the way back is no backup, and goes")
  })

  it("does not take append-only files of an earlier time, with as many keys, for the data that it had", async () => {
    redis(place, "config", "set", "appendonly", "yes")
    while (!/aof_rewrite_in_progress:0[\s\S]*aof_last_bgrewrite_status:ok/.test(redis(place, "info", "persistence")))
      await new Promise((resolve) => setTimeout(resolve, 200))
    redis(place, "config", "set", "appendonly", "no")
    redis(place, "set", "k0", "later")
    const run = 'ENTRYPOINT ["sh", "-c", "exec testbed-entrypoint.sh redis-server --appendonly yes"]'
    const tag = await image("t-rec/dragonfly:append", "infra-testbed/dragonfly:1", run)
    const id = await backupId(open(place))
    const result = await recreate(open(place, { compose: changed(place, [storeImage, `image: ${tag}`]) }), {
      backupId: id,
      services: ["dragonfly"],
    })
    assert.equal(result.rung, "previous-images", result.cause)
    assert.match(result.cause ?? "", /dragonfly loads-snapshot: \(none\) instead of yes/)
    assert.equal(redis(place, "get", "k0"), "later")
  })

  it("does not take a restore for undone that leaves the store with less than it had", async () => {
    const id = await backupId(open(place))
    redis(place, "set", "since", "1")
    let dead = false
    const beforeStep = (step: string) => {
      dead ||= step === "start-dragonfly"
      if (dead) throw new HostError("lost", "the connection is gone")
    }
    const tools = open(place, { beforeStep })
    await assert.rejects(restore(tools, { backupId: id, services: ["dragonfly"] }))
    const data = `${place.baseDir}/data/dragonfly`
    renameSync(`${data}/.pre-restore-${tools.work.id}/dump.rdb`, `${data}/gone`)
    for (let times = 0; times < 2; times++)
      await assert.rejects(finishInterrupted(open(place)), {
        code: "restore-cut",
        message: /dragonfly db0\.keys: \(none\) instead of 2\d/,
      })
    await docker("kill", `${place.project}-dragonfly-1`)
    renameSync(`${data}/gone`, `${data}/dump.rdb`)
    await finishInterrupted(open(place))
    assert.equal(await readStoppedApp(open(place)), undefined)
    assert.equal(redis(place, "exists", "since"), "1")
  })

  for (const [what, before, rung] of [
    ["looks into another directory", "mkdir -p /data/else", "previous-images"],
    ["has lost its snapshot", "mkdir -p /data/else && mv /data/dump.rdb /data/else/lost.rdb", "backup"],
  ] as const)
    it(`does not take a store that ${what} for one whose sessions have all run out`, async () => {
      redis(place, "flushall")
      const { config, ...rest } = open(place)
      const backup = { ...config.backup, "max-row-loss": 1 }
      redis(place, "set", "session:1", "before", "ex", "7200")
      const run = `${before}; exec testbed-entrypoint.sh redis-server --dir /data/else`
      const tag = await image(
        "t-rec/dragonfly:else",
        "infra-testbed/dragonfly:1",
        `ENTRYPOINT ["sh", "-c", "[ $(id -u) = 0 ] || exit 1; ${run}"]`,
      )
      const id = await backupId({ ...rest, config: { ...config, backup } })
      redis(place, "set", "session:2", "after", "ex", "7200")
      const compose = changed(place, [storeImage, `image: ${tag}`])
      const result = await recreate(open(place, { compose }), { backupId: id, services: ["dragonfly"] })
      assert.equal(result.rung, rung, result.cause)
      assert.match(result.cause ?? "", /dragonfly db0\.expiring-keys: \(none\) instead of some until 20/)
      assert.deepEqual(redis(place, "mget", "session:1", "session:2"), "before\nafter")
    })
})

/** What lies in the store's data directory. */
function files({ baseDir }: StackPlace): string {
  return execFileSync("ls", ["-a", `${baseDir}/data/dragonfly`], { encoding: "utf8" })
}

function dumps({ baseDir }: StackPlace): string {
  return execFileSync("ls", [`${baseDir}/backups/dragonfly`], { encoding: "utf8" })
}
