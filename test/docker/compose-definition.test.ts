import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseDefinition } from "../../src/docker/compose-definition.ts"
import { inDependencyOrder } from "../../src/docker/service-order.ts"

const json = JSON.stringify({
  name: "shop",
  services: {
    api: {
      image: "shop:1",
      profiles: ["app"],
      depends_on: { db: { condition: "service_healthy" }, migrate: { condition: "service_completed_successfully" } },
      environment: { PASSWORD: "a$$b", EMPTY: null, PORT: 3000 },
      networks: { default: null },
      deploy: { replicas: 2 },
      stop_grace_period: "1m30s",
      healthcheck: { test: ["CMD", "true"], interval: "5s", timeout: "3s", retries: 4, start_period: "1m0s" },
    },
    db: {
      image: "postgres:17",
      container_name: "db",
      ports: [{ published: "5432", target: 5432, protocol: "tcp" }, { target: 80 }],
      volumes: [
        { type: "volume", source: "data", target: "/var/lib/postgresql/data" },
        { type: "bind", source: "/opt/shop/init", target: "/init", read_only: true },
      ],
      healthcheck: { test: ["NONE"] },
    },
    migrate: { image: "shop:1", healthcheck: { disable: true } },
  },
  volumes: { data: { name: "shop_data", driver_opts: { type: "none", o: "bind", device: "/opt/shop/data" } } },
  networks: { default: { name: "shop_default" } },
})

describe("parseDefinition", () => {
  const { services, volumes } = parseDefinition(json)
  const service = (name: string) => services.find((one) => one.name === name)

  it("gives the container's view of the environment", () => {
    assert.deepEqual(service("api")?.environment, { PASSWORD: "a$b", EMPTY: "", PORT: "3000" })
  })

  it("takes the health budget from start period, interval, timeout and retries", () => {
    assert.equal(service("api")?.healthBudget, 60_000 + (5000 + 3000) * 4)
    assert.equal(service("db")?.healthBudget, undefined)
    assert.equal(service("migrate")?.healthBudget, undefined)
  })

  it("knows copies, one-shots, fixed names and published ports", () => {
    assert.equal(service("api")?.replicas, 2)
    assert.equal(service("api")?.stopGracePeriod, 90_000)
    assert.equal(service("migrate")?.oneShot, true)
    assert.equal(service("db")?.oneShot, false)
    assert.equal(service("db")?.hasContainerName, true)
    assert.deepEqual(service("db")?.publishedPorts, [{ published: 5432, target: 5432, protocol: "tcp" }])
  })

  it("knows the restart policy that compose gives, by either way to say it", () => {
    const policy = (raw: object) =>
      parseDefinition(JSON.stringify({ name: "shop", services: { api: { image: "shop:1", ...raw } } })).services[0]
        ?.restart
    const deployed = (condition: object) => policy({ restart: "always", deploy: { restart_policy: condition } })
    assert.equal(policy({}), "no")
    assert.equal(policy({ restart: "on-failure:3" }), "on-failure:3")
    assert.equal(deployed({ condition: "none" }), "no")
    assert.equal(deployed({}), "always")
    assert.equal(deployed({ condition: "on-failure", max_attempts: 5 }), "on-failure:5")
    assert.equal(deployed({ condition: "unless-stopped" }), "unless-stopped")
  })

  it("finds the host path behind a bind-driver volume", () => {
    assert.deepEqual(volumes, [{ key: "data", name: "shop_data", device: "/opt/shop/data", external: false }])
  })

  it("puts a service after those that it needs", () => {
    const names = inDependencyOrder(services).map((one) => one.name)
    assert.ok(names.indexOf("api") > names.indexOf("db") && names.indexOf("api") > names.indexOf("migrate"))
  })

  it("never shows what stands in a definition that it cannot read", () => {
    const secret = "s3cret-value"
    for (const text of [
      `{"services": "${secret}"`,
      JSON.stringify({ name: "x", services: { a: { image: [secret] } } }),
    ]) {
      assert.throws(
        () => parseDefinition(text),
        (error: Error) => !`${error.message}${error.stack}`.includes(secret),
      )
    }
  })
})
