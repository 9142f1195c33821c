import assert from "node:assert/strict"
import { test } from "node:test"
import { parseLeft } from "../../../src/service/redis/find-left.ts"
import { keptNote, parseKept } from "../../../src/service/redis/kept-data.ts"

const settings = {
  directory: "/data",
  file: "dump.rdb",
  append: undefined,
  mount: { type: "volume", source: "v", volume: "v", target: "/data", writable: true },
} as const

test("what was kept is read oldest first, with its note; marks that say nothing come first and claim nothing", () => {
  const held = { service: "cache", same: {}, atLeast: { "db0.keys": 5 } }
  const text = [
    `20 .pre-restore-b 2026-11-21T06:00:02Z ${keptNote(settings, "run-b", held)}`,
    "8 .pre-restore-cut ",
    `4 .pre-restore-a 2026-11-21T06:00:01Z ${keptNote({ ...settings, append: { directory: "d", file: "f" } }, "run-a", undefined)}`,
    "4 .pre-restore-bad 2026-11-21T06:00:03Z {no JSON",
    "4 .failed-restore-a 2026-11-21T06:00:04Z {no JSON",
    "4 .restore-a 2026-11-21T06:00:05Z {no JSON",
    "end",
    "",
  ].join("\n")
  assert.deepEqual(parseKept(text), [
    { folder: ".pre-restore-cut", failed: false, bytes: 8192, at: undefined, note: undefined },
    {
      folder: ".pre-restore-a",
      failed: false,
      bytes: 4096,
      at: "2026-11-21T06:00:01Z",
      note: { run: "run-a", file: "dump.rdb", append: "d", atLeast: null },
    },
    {
      folder: ".pre-restore-b",
      failed: false,
      bytes: 20480,
      at: "2026-11-21T06:00:02Z",
      note: { run: "run-b", file: "dump.rdb", append: null, atLeast: { "db0.keys": 5 } },
    },
    { folder: ".pre-restore-bad", failed: false, bytes: 4096, at: "2026-11-21T06:00:03Z", note: undefined },
    { folder: ".failed-restore-a", failed: true, bytes: 4096, at: "2026-11-21T06:00:04Z", note: undefined },
  ])
})

test("what an interrupted restore left is told with its directory and note; a list that was cut is none", () => {
  const text = `/data/a b/.pre-restore-x\n2026-11-21T06:00:02Z ${keptNote(settings, "x", undefined)}\n/data/a b/.restore-x\n\nend\n`
  assert.deepEqual(parseLeft(text), [
    {
      name: ".pre-restore-x",
      directory: "/data/a b",
      note: { run: "x", file: "dump.rdb", append: null, atLeast: null },
    },
    { name: ".restore-x", directory: "/data/a b", note: undefined },
  ])
  assert.deepEqual(parseLeft("end\n"), [])
  for (const cut of ["", "/data/.restore-x\n", "/data/.restore-x\nend\n"])
    assert.throws(() => parseLeft(cut), { code: "host-answer" })
})

test("a list that was cut is no list", () => {
  assert.throws(() => parseKept("20 .pre-restore-b 2026-11-21T06:00:02Z {}\n"), { code: "host-answer" })
  assert.deepEqual(parseKept("end\n"), [])
})
