import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { failure } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { cleanLeftovers } from "../../src/job/clean-leftovers.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { recreate } from "../../src/job/recreate.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import {
  backupId,
  brokenProxy,
  changed,
  docker,
  failAt,
  newerStore,
  open,
  proxyImage,
  readCompose,
  redis,
  storeImage,
} from "./recreate-ground.ts"

const slot = 38
const services = ["dragonfly", "nginx"]

describe("a recreate with a newer version of a store of keys that served, and that did not come to its end", () => {
  let place: StackPlace
  let original: string
  /** The newer version, and a proxy that does not serve beside it. */
  let compose: string
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    original = readCompose(place)
    compose = changed(
      place,
      [storeImage, `image: ${await newerStore()}`],
      [proxyImage, `image: ${await brokenProxy()}`],
    )
  })
  after(() => removeStack({ slot }))

  it("goes back in the next run to what was there when the previous version was stopped, where the run that went back died", async () => {
    const id = await backupId(open(place))
    redis(place, "set", "after-backup", "1")
    const tools = open(place, { compose, beforeStep: failAt("stage-dragonfly") })
    await assert.rejects(recreate(tools, { backupId: id, services }), /broken on purpose/)
    const [, file = "none"] =
      /What dragonfly held when it was stopped.* is in (\S+\.rdb),/.exec(tools.said.join("\n")) ?? []
    await cleanLeftovers(open(place))
    assert.ok(existsSync(file), file)

    const next = open(place)
    await finishInterrupted(next)
    assert.match(next.said.join("\n"), /dragonfly was restored as it was stopped/)
    assert.equal(await readStoppedApp(open(place)), undefined, next.said.join("\n"))
    assert.equal(redis(place, "exists", "after-backup"), "1")
    assert.match(redis(place, "info", "server"), /redis_version:7\.0/)
    assert.equal(readCompose(place), original)
  })

  it("stays on a newer version that a killed run had proven, and whose data the previous one cannot read", async () => {
    const mended = changed(place, [storeImage, `image: ${await newerStore()}`])
    const tools = open(place, { compose })
    const check: typeof tools.work.check = async (name, observe) => {
      if (name === "wait-healthy-rest") throw new HostError("lost", "the connection is gone")
      return observe()
    }
    const id = await backupId(open(place))
    await assert.rejects(recreate({ ...tools, work: { ...tools.work, check } }, { backupId: id, services }))
    redis(place, "set", "after-proof", "1")
    for (let times = 0; times < 2; times++) {
      const next = open(place)
      await finishInterrupted(next)
      assert.match(next.said.join("\n"), /service nginx.*; dragonfly stays on its new image/)
      assert.equal(redis(place, "exists", "after-proof"), "1")
    }
    const result = await recreate(open(place, { compose: mended }), {
      backupId: await backupId(open(place)),
      services,
    })
    assert.equal(result.status, "recreated", result.cause)
    assert.equal(await readStoppedApp(open(place)), undefined)
    assert.equal(redis(place, "exists", "after-proof"), "1")
  })

  it("does not end a store of keys that has served and cannot save what it holds", async () => {
    const id = await backupId(open(place))
    const tools = open(place, { compose: changed(place, [proxyImage, `image: ${await brokenProxy()}`]) })
    const store = `${place.project}-dragonfly-1`
    const check: typeof tools.work.check = async (name, observe) => {
      if (name !== "wait-healthy-rest") return observe()
      redis(place, "set", "unsaved", "1")
      await docker("pause", store)
      throw failure("broken", "broken on purpose")
    }
    await assert.rejects(recreate({ ...tools, work: { ...tools.work, check } }, { backupId: id, services }), {
      code: "not-saved",
    })
    await docker("unpause", store)
    assert.equal(redis(place, "exists", "unsaved"), "1")
    await finishInterrupted(open(place))
    assert.equal(await readStoppedApp(open(place)), undefined)
    assert.equal(redis(place, "exists", "unsaved"), "1")
  })
})
