import assert from "node:assert/strict"
import { test } from "node:test"
import { progressLines } from "../../src/core/progress.ts"

test("bytes, rate and time left are told, seldom", () => {
  let time = 1_000_000
  const tell = progressLines("dump", { total: 1024 ** 3 }, () => time)
  const told: string[] = []
  for (let second = 1; second <= 40; second += 1) {
    time += 1000
    const line = tell(second * 20 * 1024 ** 2)
    if (line !== undefined) told.push(`${second}: ${line}`)
  }
  assert.deepEqual(told, [
    "5: dump: 100.0 MiB of about 1.0 GiB, 20.0 MiB/s, about 46.2s left",
    "20: dump: 400.0 MiB of about 1.0 GiB, 20.0 MiB/s, about 31.2s left",
    "35: dump: 700.0 MiB of about 1.0 GiB, 20.0 MiB/s, about 16.2s left",
  ])
  time += 600_000
  assert.match(tell(2 * 1024 ** 3) ?? "", /^dump: 2\.0 GiB of about 1\.0 GiB, 3\.2 MiB\/s$/)
  time += 59_000
  assert.equal(tell(3), undefined)
})

test("nothing is made up where the whole is not known, or nothing came yet", () => {
  let time = 0
  const unknown = progressLines("dump", {}, () => time)
  const idle = progressLines("dump", { total: 100 }, () => time)
  time = 5000
  assert.equal(unknown(5 * 1024), "dump: 5.0 KiB, 1.0 KiB/s")
  assert.equal(idle(0), "dump: 0 B of about 100 B, 0 B/s")
})

test("what was done before counts as done but not as speed, and the whole may get known on the way", () => {
  let time = 0
  const progress: { total?: number; from: number } = { from: 1024 }
  const tell = progressLines("upload", progress, () => time)
  time = 5000
  assert.equal(tell(6 * 1024), "upload: 6.0 KiB, 1.0 KiB/s")
  progress.total = 31 * 1024
  time = 20_000
  assert.equal(tell(21 * 1024), "upload: 21.0 KiB of about 31.0 KiB, 1.0 KiB/s, about 10.0s left")
})
