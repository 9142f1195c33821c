import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseMounting } from "../../src/docker/mounting.ts"

const mount = (name: string, source: string, writable = true) => ({ Name: name, Source: source, RW: writable })
const container = (name: string, mounts: readonly unknown[] | null, more: object = {}) => ({
  ...{ id: name, name: `/${name}`, state: "running", code: 0, policy: "unless-stopped", labels: null, mounts },
  ...more,
})
const data = mount("shop_data", "/var/lib/docker/volumes/shop_data/_data")
const volume = {
  volume: "shop_data",
  path: "/var/lib/docker/volumes/shop_data/_data",
  options: { o: "bind", device: "/opt/shop/data" },
}
const printed = (...lines: readonly unknown[]) => lines.map((one) => JSON.stringify(one)).join("\n")
const output = printed(
  container("by-volume", [data]),
  container("by-path", [mount("", "/opt/shop/data/")]),
  container("reader", [mount("", "/opt/shop/data", false)]),
  container("other", null),
  volume,
)

describe("parseMounting", () => {
  for (const source of ["shop_data", "/opt/shop/data", "/opt/shop/data/", "/var/lib/docker/volumes/shop_data/_data"]) {
    it(`knows ${source} under all of its names`, () => {
      assert.deepEqual(
        parseMounting(output, [source]).map((one) => one.name),
        ["by-volume", "by-path"],
      )
    })
  }

  it("finds nobody on another path", () => assert.deepEqual(parseMounting(output, ["/opt/shop"]), []))

  it("counts what is stopped only when its restart policy starts it with the engine", () => {
    const stopped = (policy: string, code: number) =>
      container(`${policy}-${code}`, [data], { state: "exited", policy, code })
    const all = [
      stopped("always", 0),
      stopped("unless-stopped", 1),
      stopped("on-failure", 0),
      stopped("on-failure", 137),
    ]
    const others = [stopped("no", 1), stopped("", 1), container("paused", [data], { state: "paused", policy: "no" })]
    const found = parseMounting(printed(...all, ...others), ["shop_data"])
    assert.deepEqual(
      found.map((one) => one.name),
      ["always-0", "on-failure-137", "paused"],
    )
  })

  it("says whose a container is", () => {
    const labels = { "com.docker.compose.project": "shop", "com.docker.compose.service": "db" }
    const [found] = parseMounting(printed(container("one", [data], { labels })), ["shop_data"])
    assert.deepEqual([found?.project, found?.service], ["shop", "db"])
  })
})
