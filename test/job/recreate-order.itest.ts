import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { AppError, messageOf } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { readDeployed } from "../../src/job/deployed.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { recreate } from "../../src/job/recreate.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { startOnRightData, stopWriters } from "../../src/job/writers.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import { backupId, docker, image, open, readCompose, redis, sql } from "./recreate-ground.ts"

const slot = 18

describe("a recreation that keeps others away from the data until it is compared", () => {
  let place: StackPlace
  let original: string
  before(async () => {
    place = await resetStack({ slot, app: "v1" })
    original = readCompose(place)
    await image("t-rec/media:1", "infra-testbed/dragonfly:1")
    sql(place, "create table notes as select generate_series(1, 300) n")
    redis(place, "mset", "a", "1", "b", "2")
  })
  after(() => removeStack({ slot }))

  it("does not start an app that a service of the infrastructure depends on before the data is compared", async () => {
    const seen: string[] = []
    const look = async (step: string) => void seen.push(`${step} ${await stateOf(place, "api")}`)
    const compose = withParts(original, [
      "  nginx:\n    <<: *service\n",
      "  nginx:\n    <<: *service\n    depends_on: { api: { condition: service_started }, coturn: { condition: service_healthy } }\n",
    ])
    const result = await recreate(open(place, { compose, beforeStep: look }), { backupId: await backupId(open(place)) })

    assert.equal(result.status, "recreated", result.cause)
    assert.ok(seen.includes("recreate-containers-rest exited"), seen.join("\n"))
    assert.ok(seen.includes("start-writers exited"), seen.join("\n"))
    const started = async (service: string) => Date.parse(await inspect(place, service, "{{.State.StartedAt}}"))
    assert.ok((await started("coturn")) < (await started("nginx")), "the order among those that are named")
    await assertServing(place)
  })

  it("does not take keys that another service of the infrastructure deletes as it starts for other data", async () => {
    const result = await recreate(open(place, { compose: withRoom(original) }), {
      backupId: await backupId(open(place)),
    })
    assert.equal(result.status, "recreated", result.cause)
    await room(place)
    // It is not named, and would delete its room as soon as the new store answers.
    const id = await inspect(place, "media", "{{.Id}}")
    const part = await recreate(open(place), { backupId: await backupId(open(place)), services: ["dragonfly"] })
    assert.deepEqual([part.status, part.cause], ["recreated", undefined])
    assert.equal(await inspect(place, "media", "{{.Id}} {{.State.Status}}"), `${id} running`)
    await room(place)
    const again = await recreate(open(place), { backupId: await backupId(open(place)) })
    assert.deepEqual([again.status, again.cause], ["recreated", undefined])
    await assertServing(place)
  })

  it("goes back to the previous images with what was written since when a service beside the data is sick", async () => {
    await room(place)
    const tag = await image("t-rec/nginx:broken", "infra-testbed/nginx:1", 'ENTRYPOINT ["sh", "-c", "sleep 3; exit 1"]')
    const compose = withParts(withRoom(original), [/image: \$\{NGINX_IMAGE[^\n]*/, `image: ${tag}`])
    const result = await recreate(open(place, { compose }), { backupId: await backupId(open(place)) })

    assert.deepEqual([result.status, result.rung], ["rolled-back", "previous-images"], result.cause)
    assert.match(result.cause ?? "", /service nginx/)
    await assertServing(place)
  })

  for (const step of ["pull-images", "stop-postgres", "wait-healthy"])
    it(`is undone by the next run with its definition when new containers do not serve and it was cut off at ${step}`, async () => {
      const compose = withParts(withRoom(original), [
        /image: \$\{POSTGRES_IMAGE[^\n]*/,
        (all) => `${all}\n    command: [postgres, -c, no_such_setting=1]`,
      ])
      const held = readCompose(place)
      const proof = { backupId: await backupId(open(place)) }
      await assert.rejects(recreate(cutAt(place, step, compose), proof), HostError)
      assert.equal(readCompose(place), compose)

      const tools = open(place)
      await finishInterrupted(tools)
      assert.equal(readCompose(place), held)
      assert.equal(await readStoppedApp(tools), undefined)
      if (step === "wait-healthy") assert.match(tools.said.join("\n"), /do not serve: .*postgres.*Putting back/)
      await assertServing(place)
      const { status } = await recreate(open(place), { backupId: await backupId(open(place)) })
      assert.equal(status, "recreated")
    })

  it("counts the infrastructure as changed when the next run goes on with the new containers", async () => {
    const proof = { backupId: await backupId(open(place)) }
    await recreate(at(open(place), "a"), proof)
    assert.equal((await readDeployed(open(place))).infra, "a".repeat(40))
    const compose = withParts(withRoom(original), ["shm_size: 256m", "shm_size: 320m"])
    await assert.rejects(recreate(at(cutAt(place, "wait-healthy", compose), "b"), proof), HostError)
    await finishInterrupted(at(open(place), "a"))
    assert.equal(readCompose(place), compose)
    assert.equal((await readDeployed(open(place))).infra, undefined)
    await assertServing(place)
  })

  it("takes nothing for lost, and nothing away, when somebody has started the app after the cut", async () => {
    redis(place, "set", "gone", "1")
    const proof = { backupId: await backupId(open(place)) }
    const compose = withParts(withRoom(original), ["shm_size: 256m", "shm_size: 384m"])
    await assert.rejects(recreate(cutAt(place, "wait-healthy", compose), proof), HostError)
    await docker("start", `${place.project}-api-1`)
    redis(place, "del", "gone")
    const store = await inspect(place, "dragonfly", "{{.Id}} {{.State.StartedAt}}")
    await finishInterrupted(open(place))
    assert.equal(await inspect(place, "dragonfly", "{{.Id}} {{.State.StartedAt}}"), store)
    assert.equal(await readStoppedApp(open(place)), undefined)
    await assertServing(place)
  })

  it("keeps the engine from starting an app that waits for a restore, until somebody starts it", async () => {
    const api = `${place.project}-api-1`
    const look = () => inspect(place, "api", "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}")
    await docker("update", "--restart", "always", api)
    await stopWriters(open(place), { awaits: "restore", backup: "backup-20200101-000000" })
    assert.equal(await look(), "exited no")
    // A note of an earlier version, or a policy given by hand.
    await docker("update", "--restart", "on-failure", api)
    await finishInterrupted(open(place))
    assert.equal(await look(), "exited no")
    await docker("start", api)
    const tools = open(place)
    await finishInterrupted(tools)
    assert.equal(await look(), "running unless-stopped")
    assert.match(tools.said.join("\n"), /backup-20200101-000000 .* somebody has started it/)

    await stopWriters(open(place), { awaits: "restore" })
    await docker("update", "--restart", "no", api)
    await startOnRightData(open(place))
    assert.equal(await look(), "running unless-stopped")
    await assertServing(place)
  })

  it("names a commit as deployed only when all of the infrastructure is of it", async () => {
    const proof = { backupId: await backupId(open(place)) }
    await recreate(at(open(place), "a"), proof)
    await recreate(at(open(place), "a"), { ...proof, services: ["coturn"] })
    assert.equal((await readDeployed(open(place))).infra, "a".repeat(40))
    await recreate(at(open(place), "b"), { ...proof, services: ["coturn"] })
    assert.equal((await readDeployed(open(place))).infra, undefined)
  })

  it("does not take a data service that comes back to the data in its volume for a new one", async () => {
    const volume = `${place.project}_cache_data`
    await docker("volume", "create", "--label", "infra-actions.testbed=1", volume)
    try {
      await docker("run", "--rm", "-v", `${volume}:/data`, "infra-testbed/dragonfly:1", "touch", "/data/dump.rdb")
      const cache =
        "  cache:\n    profiles: [infrastructure]\n    image: infra-testbed/dragonfly:1\n    command: [redis-server]\n"
      const compose = withParts(
        withRoom(original),
        [/^services:\n/m, `services:\n${cache}    volumes: [cache_data:/data]\n`],
        [/^volumes:\n/m, "volumes:\n  cache_data: {}\n"],
      )
      const tools = open(place, { compose })
      await assert.rejects(recreate(tools, { backupId: await backupId(open(place)) }), (error: unknown) => {
        assert.ok(error instanceof AppError)
        assert.match(error.message, /does not hold cache, which has data in .*cache_data/)
        return error.kind === "refused"
      })
    } finally {
      await docker("volume", "rm", volume)
    }
  })
})

type Part = readonly [string | RegExp, string | ((found: string) => string)]

function withParts(compose: string, ...parts: readonly Part[]): string {
  return parts.reduce((text, [from, to]) => {
    const next = text.replace(from, typeof to === "string" ? () => to : to)
    assert.notEqual(next, text, `nothing to replace: ${from}`)
    return next
  }, compose)
}

/** As a media server does that keeps its rooms in the key store: those of before are none when it starts. */
function withRoom(compose: string): string {
  const loop =
    "until redis-cli -h dragonfly del room; do sleep 0.1; done; sleep 4; while sleep 0.5; do redis-cli -h dragonfly set room 1; done"
  const media = `  media:
    profiles: [infrastructure]
    image: t-rec/media:1
    init: true
    environment: { REDISCLI_AUTH: "\${REDIS_PASSWORD}" }
    entrypoint: [sh, -c, "${loop}"]
    labels: { infra-actions.testbed: "1" }
    healthcheck: { disable: true }
    stop_grace_period: 2s
`
  return withParts(compose, [/^services:\n/m, `services:\n${media}`])
}

/** Waits until the media server has its room in the key store. */
async function room(place: StackPlace): Promise<void> {
  for (let left = 100; redis(place, "exists", "room") !== "1"; left -= 1) {
    assert.ok(left > 0, "the media server never wrote")
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** As a killed run does: nothing of it happens after that. */
function cutAt(place: StackPlace, step: string, compose: string) {
  const cut = () => {
    throw new HostError("lost", "the connection is gone")
  }
  const tools = open(place, { compose, beforeStep: (name) => (name === step ? cut() : undefined) })
  const check: typeof tools.work.check = async (name, observe) => (name === step ? cut() : observe())
  return { ...tools, work: { ...tools.work, check } }
}

function at<T extends ReturnType<typeof open>>(tools: T, letter: string): T {
  return { ...tools, run: { ...tools.run, sha: letter.repeat(40) } }
}

function inspect({ project }: StackPlace, service: string, format: string): Promise<string> {
  return docker("inspect", "-f", format, `${project}-${service}-1`)
}

async function stateOf(place: StackPlace, service: string): Promise<string> {
  try {
    return await inspect(place, service, "{{.State.Status}}")
  } catch (error) {
    return messageOf(error)
  }
}

async function assertServing(place: StackPlace): Promise<void> {
  assert.equal(sql(place, "select count(*) from notes"), "300")
  assert.equal(redis(place, "mget", "a", "b"), "1\n2")
  for (const service of ["api", "worker", "nginx", "coturn"])
    assert.equal(await stateOf(place, service), "running", service)
  const health = await fetch(`http://127.0.0.1:${place.httpPort}/health`, { signal: AbortSignal.timeout(5000) })
  assert.equal(health.status, 200)
}
