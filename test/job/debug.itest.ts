import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { composeStack } from "../../src/docker/compose-stack.ts"
import type { Stack } from "../../src/docker/stack.ts"
import type { Host } from "../../src/host/host.ts"
import { HostError } from "../../src/host/host.ts"
import { checkInfra } from "../../src/job/check-infra.ts"
import { debug } from "../../src/job/debug.ts"
import { containerDriver } from "../../src/service/container.ts"
import { coturnDriver } from "../../src/service/coturn.ts"
import { httpDriver } from "../../src/service/http.ts"
import { postgresDriver } from "../../src/service/postgres/index.ts"
import { redisDriver } from "../../src/service/redis/redis-driver.ts"
import { directWork } from "../support/direct-work.ts"
import { deployHost, stackTools } from "../support/stack-tools.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"

const slot = 7
const drivers = [postgresDriver(), redisDriver(), coturnDriver(), httpDriver(), containerDriver()]

describe("check-infra and debug", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
  })
  after(() => removeStack({ slot }))

  it("finds a whole stack healthy, with data, in two rounds of questions", async () => {
    const { tools, rounds } = open(place)
    const result = await checkInfra(tools)

    assert.equal(result.status, "healthy", JSON.stringify(result.checks))
    assert.equal(result.exitCode, 0)
    assert.equal(result.dataPresent, true)
    assert.deepEqual(Object.keys(result.report.services).toSorted(), [
      "coturn",
      "dragonfly",
      "host",
      "nginx",
      "postgres",
    ])
    const names = result.checks.map((check) => check.name)
    for (const name of ["coturn: stun-binding", "postgres: volume /var/lib/postgresql/data", "dragonfly: restarts"]) {
      assert.ok(names.includes(name), names.join(", "))
    }
    assert.ok(rounds() <= 4, `${rounds()} rounds`)
  })

  it("starts what is stopped, and says so", async () => {
    await docker("stop", `${place.project}-postgres-1`, `${place.project}-coturn-1`)
    const { tools } = open(place)
    const sick = await checkInfra(tools)
    assert.equal(sick.status, "unhealthy")
    assert.equal(sick.exitCode, 1)

    const result = await debug(tools)
    assert.equal(result.status, "fixed", JSON.stringify(result.left))
    assert.deepEqual(result.fixes.toSorted(), ["start-coturn", "start-postgres"])
    assert.deepEqual(new Set(result.found.map((one) => one.cause)), new Set(["stopped"]))
    assert.equal((await checkInfra(tools)).status, "healthy")
  })

  it("unpauses, and tells a paused store from a stopped one", async () => {
    await docker("pause", `${place.project}-dragonfly-1`)
    const result = await debug(open(place).tools)
    assert.deepEqual(result.fixes, ["unpause-dragonfly"])
    assert.equal(result.status, "fixed", JSON.stringify(result.left))
  })

  it("makes a missing network again and reconnects what was in it", async () => {
    const containers = ["postgres", "dragonfly", "coturn", "nginx"].map((name) => `${place.project}-${name}-1`)
    await docker("stop", ...containers)
    await docker("network", "rm", `${place.project}_default`)
    for (const name of containers) await docker("start", name).catch(() => {})

    const result = await debug(open(place).tools)
    assert.equal(result.status, "fixed", JSON.stringify(result.left))
    assert.deepEqual(new Set(result.found.map((one) => one.cause)), new Set(["network-missing"]))
    await docker("exec", `${place.project}-nginx-1`, "getent", "hosts", "postgres")
  })

  it("finds a running container that was taken out of its network", async () => {
    await docker("network", "disconnect", `${place.project}_default`, `${place.project}-coturn-1`)
    const result = await debug(open(place).tools)
    assert.deepEqual(result.fixes, ["reconnect-coturn"])
    assert.equal(result.status, "fixed", JSON.stringify(result.left))
  })

  it("creates a missing database container on the data that is there, and only there", async () => {
    await docker("stop", `${place.project}-postgres-1`)
    await docker("rm", `${place.project}-postgres-1`)
    const { tools } = open(place)
    const missing = await checkInfra(tools)
    assert.equal(missing.status, "missing")
    assert.equal(missing.exitCode, 3)
    assert.equal(missing.dataPresent, true)

    const result = await debug(tools)
    assert.deepEqual(result.fixes, ["create-postgres"])
    assert.equal(result.status, "fixed", JSON.stringify(result.left))
  })

  it("does not start a database whose data another container has mounted", async () => {
    const image = "infra-testbed/base:bookworm"
    const label = "infra-actions.testbed=1"
    const mount = `${place.baseDir}/data/postgres:/rival`
    await docker("rm", "-f", "t-stack-rival")
    await docker("run", "-d", "--label", label, "--name", "t-stack-rival", "-v", mount, image, "sleep", "600")
    await docker("stop", `${place.project}-postgres-1`)
    try {
      const { tools, steps } = open(place)
      await assert.rejects(debug(tools), { code: "data-in-use", message: /t-stack-rival/ })
      assert.deepEqual(steps, [])
    } finally {
      await docker("rm", "-f", "t-stack-rival")
    }
    assert.equal((await debug(open(place).tools)).status, "fixed")
  })

  it("names what no fix can mend, tries nothing, and keeps secrets out of the report", async () => {
    const file = "/var/lib/postgresql/data/global/pg_control"
    await docker("exec", "-u", "0", `${place.project}-postgres-1`, "mv", file, `${file}.away`)
    await docker("kill", `${place.project}-postgres-1`)
    await docker("start", `${place.project}-postgres-1`)
    try {
      const { tools, steps } = open(place)
      await restartedOften(tools.stack)
      const result = await debug(tools)
      assert.equal(result.status, "failed")
      assert.deepEqual(
        result.found.map((one) => [one.service, one.cause]),
        [["postgres", "data-unreadable"]],
      )
      assert.deepEqual(steps, [])
      const { services } = await tools.stack.definition()
      const password = services.find((one) => one.name === "postgres")?.environment.POSTGRES_PASSWORD ?? ""
      assert.ok(password.length > 20)
      assert.ok(!JSON.stringify(result).includes(password))
    } finally {
      const data = `${place.baseDir}/data/postgres/global`
      await promisify(execFile)("mv", [`${data}/pg_control.away`, `${data}/pg_control`])
      await docker("restart", `${place.project}-postgres-1`)
    }
  })

  it("calls a host that cannot be asked an error, not unhealthy", async () => {
    const host: Host = {
      ...deployHost(),
      run: () => Promise.reject(new HostError("unreachable", "no route to host")),
    }
    await assert.rejects(checkInfra(stackTools(place, { host, drivers })), { code: "host-unreachable" })
  })

  it("tells the ways in which an engine can fail apart", async () => {
    const { config } = open(place).tools
    const stranger = (prefix: string) => {
      const host = deployHost()
      const run: Host["run"] = (command, options) =>
        host.run({ ...command, text: `${prefix}\n${command.text}` }, options)
      return composeStack({ host: { ...host, run }, config })
    }
    await assert.rejects(stranger("export DOCKER_HOST=unix:///nowhere.sock").containers(), { code: "engine-down" })
    await assert.rejects(stranger("timeout() { return 124; }").containers(), { code: "engine-hung" })
    const elsewhere = { ...config, host: { ...config.host, directory: "/nowhere" } }
    await assert.rejects(composeStack({ host: deployHost(), config: elsewhere }).definition(), {
      code: "compose-files-missing",
    })
  })
})

function open(place: StackPlace) {
  const inner = deployHost()
  let running = 0
  let count = 0
  // A round: from the first question of a burst to the moment when none is open.
  const host: Host = {
    ...inner,
    name: inner.name,
    async run(command, options) {
      if (running === 0) count += 1
      running += 1
      try {
        return await inner.run(command, options)
      } finally {
        running -= 1
      }
    },
  }
  const work = directWork(host)
  const tools = stackTools(place, { host, work, drivers })
  return { tools, steps: work.steps, rounds: () => count }
}

async function docker(...args: readonly string[]): Promise<void> {
  await promisify(execFile)("docker", args)
}

/** Docker starts it again and again, with growing pauses: a loop is what it is when it has done so three times. */
async function restartedOften(stack: Stack): Promise<void> {
  for (let looks = 0; looks < 240; looks += 1) {
    const [postgres] = await stack.containers("postgres")
    if ((postgres?.restarts ?? 0) >= 3) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  assert.fail("postgres does not restart in a loop")
}
