import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { openRuns, parseJournal } from "../../src/host/journal.ts"
import { readVerdict } from "../../src/host/keeper.ts"
import { planWork } from "../../src/host/plan-work.ts"
import { change, lines, sh } from "../../src/shell/command.ts"

test("a plan shows each step with its exact command and takes what it was told to assume", async () => {
  const log: string[] = []
  const seen: string[] = []
  const work = planWork({ id: "run-1", log: (line) => log.push(line) })
  const result = await work.step("stop-writers", lines(sh`set -e`, change`docker stop ${"it's"}`), {
    assume: "a\nb\n",
    input: "never shown",
    onLine: (line) => seen.push(line),
  })
  assert.deepEqual([result.code, result.stdout, seen], [0, "a\nb\n", ["a", "b"]])
  assert.equal(await work.check("stopped", () => assert.fail("a dry run looked"), "assumed"), "assumed")
  assert.deepEqual(log, [
    "would do stop-writers (with data on standard input):",
    "    set -e",
    "    docker stop 'it'\\''s'",
    "would check stopped",
  ])
  assert.equal(work.dryRun, true)
})

test("the verdict is the follower's last line only, whatever the work printed before", () => {
  assert.deepEqual(readVerdict("keeper: ended 0\nx\nkeeper: ended 143 limit\n"), {
    stderr: "keeper: ended 0\nx",
    verdict: { kind: "ended", code: 143, limit: true },
  })
  assert.deepEqual(readVerdict("keeper: again\n")?.verdict, { kind: "again" })
  assert.deepEqual(readVerdict("\nkeeper: cut\n")?.verdict, { kind: "cut" })
  for (const none of ["", "keeper: ended \n", "keeper: ended 0", "keeper: ended 0\nmore\n", "x keeper: cut\n"])
    assert.equal(readVerdict(none), undefined, none)
})

test("a run without an outcome is open, torn lines are borne", () => {
  const journal = parseJournal(
    [
      `{"time":"t1","run":"a","step":"dump","state":"begin"}`,
      `{"time":"t2","run":"b","step":"dump","state":"begin"}`,
      `{"time":"t2","run":"b","st`,
      `{"time":"t3","run":"a","step":"dump","state":"failed","code":3}`,
      `{"time":"t4","run":"b","step":"dump","state":"end","code":0}`,
      `{"time":"t5","run":"b","state":"done"}`,
      `{"time":"t6","run":"c","step":"swap","state":"begin"}`,
    ].join("\n"),
  )
  assert.equal(journal.length, 6)
  assert.deepEqual(
    openRuns(journal).map(({ run, step, state }) => [run, step, state]),
    [
      ["a", "dump", "failed"],
      ["c", "swap", "begin"],
    ],
  )
})

test("a line that was cut anywhere takes no other with it, whether or not its end is there", () => {
  const line = (run: string) => `{"time":"2026-01-01T00:00:00Z","run":"${run}","step":"dump","state":"begin"}`
  fc.assert(
    fc.property(fc.nat(line("b").length - 1), fc.constantFrom("", "\n"), (length, end) => {
      const text = `${line("a")}\n${line("b").slice(0, length)}${end}${line("c")}\n`
      assert.deepEqual(
        parseJournal(text).map(({ run }) => run),
        ["a", "c"],
      )
    }),
  )
})
