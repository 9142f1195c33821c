import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { test } from "node:test"

const demo = join(import.meta.dirname, "../../script/demo")

test("script/demo: every branch goes right, no row is lost, no request fails, in under five minutes", async () => {
  const start = performance.now()
  const child = spawn(demo, { stdio: ["ignore", "pipe", "pipe"], timeout: 580_000 })
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  assert.equal(code, 0, `${out}\n${err}`)
  assert.equal([...out.matchAll(/^ok {2}\S/gm)].length, 6, out)
  assert.doesNotMatch(out, /WRONG/)
  const rows = out
    .split("\n")
    .map((line) => line.trimEnd().split(/ {2,}/))
    .filter((cells) => cells.length === 5 && /^\d+\.\d$/.test(cells[2] ?? ""))
  assert.equal(rows.length, 6, out)
  for (const [branch, , , lost] of rows) assert.equal(lost, "0", branch)
  const requests = rows.map((cells) => cells[4]).filter((cell) => cell !== "-")
  assert.equal(requests.length, 1)
  assert.match(requests[0] ?? "", /^0 of [1-9]\d{2,}$/)
  // Beside other tests it waits for the processor.
  const limit = process.env.BESIDE_OTHERS ? 480_000 : 300_000
  assert.ok(performance.now() - start < limit, `${Math.round((performance.now() - start) / 1000)} s`)
})
