import assert from "node:assert/strict"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { checkInfra } from "../../src/job/check-infra.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { recreate } from "../../src/job/recreate.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import { backupId, changed, composeFile, docker, image, open, readCompose, redis } from "./recreate-ground.ts"

const slot = 39

/** Takes a job out of the key store now and then, as soon as that answers. */
const loop =
  "while sleep 0.5; do redis-cli -h dragonfly --scan --pattern 'job:*' | head -n 1 | xargs -r redis-cli -h dragonfly del; done"
const consumer = `  consumer:
    profiles: [infrastructure]
    image: t-rec/media:1
    init: true
    deploy: { replicas: 2 }
    environment: { REDISCLI_AUTH: "\${REDIS_PASSWORD}" }
    entrypoint: [sh, -c, "${loop}"]
    labels: { infra-actions.testbed: "1" }
    healthcheck: { disable: true }
    stop_grace_period: 2s
  idle:
    profiles: [infrastructure]
    image: t-rec/media:1
    deploy: { replicas: 0 }
`

describe("recreate beside two copies of a service that takes keys away", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    await image("t-rec/media:1", "infra-testbed/dragonfly:1")
    redis(place, "mset", ...Array.from({ length: 1000 }, (_, index) => [`job:${index}`, "1"]).flat())
    writeFileSync(join(place.baseDir, composeFile), changed(place, [/^services:\n/m, `services:\n${consumer}`]))
    const { status, cause } = await recreate(open(place), { backupId: await backupId(open(place)) })
    assert.deepEqual([status, cause], ["recreated", undefined])
  })
  after(() => removeStack({ slot }))

  it("stops and starts both, also when they are not named, and takes a service without copies for well", async () => {
    const before = await consumers(place)
    assert.equal(before.length, 2)
    const part = await recreate(open(place), { backupId: await backupId(open(place)), services: ["dragonfly"] })
    assert.deepEqual([part.status, part.cause], ["recreated", undefined])
    assert.deepEqual(await consumers(place), before)
    const all = await recreate(open(place), { backupId: await backupId(open(place)) })
    assert.deepEqual([all.status, all.cause], ["recreated", undefined])
    assert.equal((await consumers(place)).length, 2)
    const { status, findings } = await checkInfra(open(place))
    assert.equal(findings.find(({ service }) => service === "idle")?.health.state, "healthy")
    assert.equal(status, "healthy")
  })

  it("takes no store away that somebody has written to since a recreation was cut off before it was compared", async () => {
    const tools = open(place)
    const check: typeof tools.work.check = async (name, observe, planned) => {
      if (name === "fingerprint") throw new HostError("lost", "the connection is gone")
      return tools.work.check(name, observe, planned)
    }
    const cut = { ...tools, work: { ...tools.work, check } }
    await assert.rejects(recreate(cut, { backupId: await backupId(open(place)) }), HostError)
    assert.ok(((await readStoppedApp(tools))?.fingerprints.length ?? 0) > 0)

    // As the engine does at its start where they have to run always.
    await docker("start", `${place.project}-consumer-1`, `${place.project}-consumer-2`)
    const jobs = () => Number(redis(place, "dbsize"))
    const before = jobs()
    redis(place, "set", "written-since", "1")
    while (jobs() >= before) await new Promise((resolve) => setTimeout(resolve, 200))
    const next = open(place)
    await finishInterrupted(next)
    assert.match(next.said.join("\n"), /Somebody has started consumer since: the keys are not compared/)
    assert.equal(redis(place, "exists", "written-since"), "1")
    assert.equal(await readStoppedApp(next), undefined)
    assert.equal((await consumers(place)).length, 2)
  })

  it("restores nothing where the data was the same on the way back, and only something else does not serve", async () => {
    const original = readCompose(place)
    const id = await backupId(open(place))
    const ends = [
      'command: [nginx, -g, "daemon off; worker_shutdown_timeout 35s;"]',
      'command: [sh, -c, "sleep 3; exit 1"]',
    ]
    writeFileSync(join(place.baseDir, composeFile), changed(place, ends as [string, string]))
    const store = () => docker("inspect", "-f", "{{.State.Status}}", `${place.project}-dragonfly-1`)
    const tools = open(place)
    await assert.rejects(recreate(tools, { backupId: id }), (error: unknown) => {
      assert.ok(error instanceof AppError)
      assert.match(error.message, /service nginx/)
      return true
    })
    assert.match(tools.said.join("\n"), /The data is the same on them, so nothing is restored/)
    assert.equal(await store(), "running")
    const kept = readdirSync(join(place.baseDir, "data/dragonfly")).filter((name) => name.includes("restore"))
    assert.deepEqual(kept, [])

    writeFileSync(join(place.baseDir, composeFile), original)
    const next = await recreate(open(place), { backupId: await settled(place) })
    assert.deepEqual([next.status, next.cause], ["recreated", undefined])
    assert.equal((await consumers(place)).length, 2)
  })
})

/** Finishes what was cut off, then a backup's id. */
async function settled(place: StackPlace): Promise<string> {
  await finishInterrupted(open(place))
  return backupId(open(place))
}

/** Ids of those that run. */
async function consumers({ project }: StackPlace): Promise<readonly string[]> {
  const labels = ["project=", "service="].map(
    (name, at) => `label=com.docker.compose.${name}${[project, "consumer"][at]}`,
  )
  return (await docker("ps", "-q", ...labels.flatMap((one) => ["--filter", one])))
    .split("\n")
    .filter(Boolean)
    .toSorted()
}
