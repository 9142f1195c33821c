import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { lackOfRoom } from "../../src/core/disk-room.ts"

const gigabyte = 1e9
const need = (where: string, [size, free]: readonly [number, number], takes: number) => ({
  where,
  disk: { size: size * gigabyte, free: free * gigabyte },
  takes: takes * gigabyte,
})
const short = (...needs: readonly ReturnType<typeof need>[]) =>
  lackOfRoom(needs, "it").map((line) => line.split(" has ")[0])

describe("room on disks", () => {
  it("adds up what lands on one disk, whose numbers change while they are read", () => {
    assert.deepEqual(short(need("data", [1000, 110], 100), need("/tmp", [1000, 110], 40)), ["data", "/tmp"])
    assert.deepEqual(short(need("data", [1000, 110.1], 100), need("/tmp", [1000, 109.9], 40)), ["data", "/tmp"])
    assert.deepEqual(short(need("data", [1000, 191], 100), need("/tmp", [1000, 191], 40)), [])
    assert.deepEqual(short(need("data", [1000, 189], 100), need("/tmp", [1000, 189], 40)), ["data", "/tmp"])
  })

  it("keeps two disks apart", () => {
    assert.deepEqual(short(need("data", [1000, 160], 100), need("/tmp", [500, 160], 40)), [])
    assert.deepEqual(short(need("data", [1000, 149], 100), need("/tmp", [500, 160], 40)), ["data"])
    assert.deepEqual(short(need("data", [1000, 160], 100), need("/tmp", [1000, 60], 40)), ["/tmp"])
  })

  it("has none where it cannot look, unless nothing is taken", () => {
    assert.deepEqual(short(need("data", [Number.NaN, Number.NaN], 1)).length, 1)
    assert.deepEqual(short(need("data", [Number.NaN, Number.NaN], 0)), [])
  })
})
