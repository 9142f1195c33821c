import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseMounting } from "../../src/docker/mounting.ts"

const mount = (name: string, source: string, writable = true) => ({ Name: name, Source: source, RW: writable })
const output = [
  { id: "a", name: "/by-volume", mounts: [mount("shop_data", "/var/lib/docker/volumes/shop_data/_data")] },
  { id: "b", name: "/by-path", mounts: [mount("", "/opt/shop/data/")] },
  { id: "c", name: "/reader", mounts: [mount("", "/opt/shop/data", false)] },
  { id: "d", name: "/other", mounts: null },
  {
    volume: "shop_data",
    path: "/var/lib/docker/volumes/shop_data/_data",
    options: { o: "bind", device: "/opt/shop/data" },
  },
]
  .map((one) => JSON.stringify(one))
  .join("\n")

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
})
