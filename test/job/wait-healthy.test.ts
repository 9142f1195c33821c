import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Container, ServiceDefinition } from "../../src/docker/stack.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import { waitHealthy } from "../../src/job/wait-healthy.ts"
import { container } from "../support/container.ts"

const start = Date.parse("2026-01-01T00:00:00Z")
const checked = { name: "db", oneShot: false, healthBudget: 30_000 } as ServiceDefinition
const unchecked = { name: "db", oneShot: false } as ServiceDefinition

interface Scene {
  /** The container as the look after so many milliseconds shows it. */
  at(elapsed: number): Partial<Container>
  /** Milliseconds by which the runner's clock is ahead of the host's. */
  readonly skew?: number
}

/** Milliseconds that the wait took. The time passes with each pause. */
async function waited(service: ServiceDefinition, { at, skew = 0 }: Scene): Promise<number> {
  let elapsed = 0
  const tools = {
    clock: {
      now: () => new Date(start + elapsed + skew),
      async sleep(time: number) {
        elapsed += time
      },
    },
    host: { run: async () => ({ stdout: `${Math.floor((start + elapsed) / 1000)}\n` }) },
    stack: {
      containers: async () => [container(at(elapsed))],
      definition: async () => ({ project: "shop", services: [], volumes: [], networks: [] }),
      logs: async () => "",
    },
    log: silentLogger,
    signal: new AbortController().signal,
  }
  await waitHealthy(tools as unknown as Tools, [service])
  return elapsed
}

describe("waitHealthy", () => {
  it("takes restarts from before the wait for no loop", async () => {
    const recovers = (elapsed: number) => ({ restarts: 41, health: elapsed < 1500 ? "starting" : "healthy" })
    assert.equal(await waited(checked, { at: recovers }), 1500)
  })

  it("fails when it restarts again and again meanwhile, and when it ends or is unhealthy", async () => {
    const loops = (elapsed: number) => ({ restarts: 41 + elapsed / 500, state: "restarting", health: "starting" })
    await assert.rejects(waited(checked, { at: loops }), /restarted 44 times/)
    await assert.rejects(waited(checked, { at: () => ({ state: "exited", exitCode: 3 }) }), /exited with exit code 3/)
    await assert.rejects(waited(checked, { at: () => ({ health: "unhealthy" }) }), /is unhealthy/)
  })

  it("waits for nothing of a service that is to have no copies", async () => {
    assert.equal(await waited({ ...checked, name: "idle", replicas: 0 }, { at: () => ({}) }), 0)
  })

  it("gives up after its budget", async () => {
    await assert.rejects(waited(checked, { at: () => ({ health: "starting" }) }), /not healthy after 5m/)
  })

  for (const skew of [0, 3_600_000, -3_600_000])
    it(`takes a service without a check as up after two seconds, with the runner's clock off by ${skew / 60_000} minutes`, async () => {
      const startedAt = new Date(start).toISOString()
      const took = await waited(unchecked, { at: () => ({ startedAt, health: undefined }), skew })
      assert.ok(took > 2000 && took <= 3000, `${took} ms`)
    })
})
