import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ServiceDefinition, StackDefinition } from "../../src/docker/stack.ts"
import { byUse, containerChecks } from "../../src/job/container-checks.ts"
import { parseHostFacts } from "../../src/job/host-checks.ts"
import { container } from "../support/container.ts"

const service = { name: "db", replicas: 1, networks: ["default"] } as unknown as ServiceDefinition
const definition: StackDefinition = {
  project: "shop",
  services: [service],
  volumes: [],
  networks: [{ key: "default", name: "shop_default", external: false }],
}
const limits = { restarts: 3, now: new Date("2026-01-01T00:10:00Z") }
const states = (...copies: Parameters<typeof container>[0][]) =>
  Object.fromEntries(
    containerChecks(
      copies.map((one) => container(one)),
      service,
      definition,
      limits,
    ).map((one) => [one.name, one.state]),
  )

describe("containerChecks", () => {
  it("takes few restarts, or many long ago, for well", () => {
    assert.equal(states({ restarts: 3 }).restarts, "ok")
    assert.equal(states({ restarts: 9, startedAt: "2025-12-31T00:00:00Z" }).restarts, "ok")
  })

  it("warns of many restarts lately and fails on a loop", () => {
    assert.equal(states({ restarts: 4 }).restarts, "warning")
    assert.equal(states({ restarts: 1, state: "restarting" }).restarts, "failed")
  })

  it("fails when a running container is not in its network", () => {
    assert.equal(states({})["network shop_default"], undefined)
    assert.equal(states({ networks: [] })["network shop_default"], "failed")
  })

  it("warns of more copies than there should be", () => assert.equal(states({}, {}).copies, "warning"))
})

it("lets a running copy stand for the service before one that an interrupted change left", () => {
  const left = container({ id: "left", state: "created", number: 1 })
  const ended = container({ id: "ended", state: "exited", number: 1 })
  const runs = container({ id: "runs", number: 2 })
  assert.deepEqual(
    byUse([left, ended, runs]).map((one) => one.id),
    ["runs", "ended", "left"],
  )
})

describe("parseHostFacts", () => {
  const { disks, volumes } = parseHostFacts(
    [
      "disk\t/a\t1000\t500",
      "disk\t/b\t1000\t150",
      "disk\t/c\t1000\t10",
      "disk\t/d\tunknown\tdf gave no numbers",
      "docker-root\t/c",
      "write\tdb\t/data\tok\t",
      "write\tdb\t/wal\tfailed\tnot writable",
      "write\tcache\t/data\tunknown\tno sh",
    ].join("\n"),
    0.2,
  )

  it("judges disks by their free share, and what it cannot read as unknown", () => {
    assert.deepEqual(
      disks.map((one) => one.state),
      ["ok", "warning", "failed", "unknown"],
    )
  })

  it("gives each service its volumes", () => {
    assert.deepEqual(
      volumes.get("db")?.map((one) => one.state),
      ["ok", "failed"],
    )
    assert.equal(volumes.get("cache")?.[0]?.state, "unknown")
  })
})
