import assert from "node:assert/strict"
import { it } from "node:test"
import { parseGoDuration } from "../../src/docker/go-duration.ts"

for (const [text, milliseconds] of [
  ["3s", 3000],
  ["1m0s", 60_000],
  ["1h2m3.5s", 3_723_500],
  ["500ms", 500],
  ["250µs", 0.25],
  ["0s", 0],
  ["", undefined],
  ["5", undefined],
  ["s", undefined],
  ["1m 3s", undefined],
] as const) {
  it(`reads "${text}" as ${milliseconds} ms`, () => assert.equal(parseGoDuration(text), milliseconds))
}
