import assert from "node:assert/strict"
import { test } from "node:test"
import { cutSummary, summaryTable } from "../../src/action/summary.ts"

test("a summary is cut at a line's end below 1 MiB and says so; a smaller one is left alone", () => {
  const limit = 1024 * 1024
  assert.equal(cutSummary("short\n"), "short\n")
  assert.equal(cutSummary("a".repeat(limit)), "a".repeat(limit))
  const cut = cutSummary(`${"größe\n".repeat(200_000)}`)
  assert.ok(Buffer.byteLength(cut) <= limit)
  assert.ok(Buffer.byteLength(cut) > limit - 200)
  assert.match(cut, /größe\n\n_Cut here/)
  const oneLine = cutSummary("€".repeat(limit))
  assert.ok(Buffer.byteLength(oneLine) <= limit && !oneLine.includes("\uFFFD"))
})

test("a cell cannot break out of its table", () => {
  const table = summaryTable("T", ["a", "b"], [["x | y\nz", "<img src=x> `c` \\|"]])
  assert.equal(table.split("\n").at(-2), "| x \\| y z | &lt;img src=x> &#96;c&#96; \\\\\\| |")
})
