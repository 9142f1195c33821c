import assert from "node:assert/strict"
import { it } from "node:test"
import { parseBytes, parseStats } from "../../src/docker/stats.ts"

for (const [text, bytes] of [
  ["392KiB ", 401_408],
  ["12.5MiB", 13_107_200],
  ["1.2kB", 1200],
  ["2GB", 2_000_000_000],
  ["0B", 0],
  ["--", undefined],
] as const) {
  it(`reads ${text} as ${bytes} bytes`, () => assert.equal(parseBytes(text), bytes))
}

it("joins use and limit, and leaves out what ended while it was measured", () => {
  const output = `{"id":"a","service":"api","limit":0}
{"id":"b","service":"db","limit":1024}
{"of":"b","cpu":"150.00%","memory":"1KiB / 1KiB"}
{"of":"a","cpu":"--","memory":"-- / --"}
`
  assert.deepEqual(parseStats(output), [{ id: "b", service: "db", cpu: 1.5, memory: 1024, memoryLimit: 1024 }])
})
