import assert from "node:assert/strict"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { CommandError } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { plainWork } from "../../src/host/plain-work.ts"
import { change } from "../../src/shell/command.ts"

test("each line of a step is seen while it runs, is progress, and is in its result", async () => {
  await using host = localHost()
  const told: string[] = []
  const work = plainWork(host, { id: "t", log: (line) => told.push(line), signal: new AbortController().signal })
  const directory = mkdtempSync(join(tmpdir(), "t-plain-"))
  const seen = join(directory, "seen")
  try {
    // It ends only when its first line was seen, which is known to be whole once more comes.
    const command = change`echo 300; echo 600; until [ -e ${seen} ]; do sleep 0.1; done; echo 1000; printf end`
    const lines: string[] = []
    const { stdout, code } = await work.step("fetch", command, {
      timeout: 20_000,
      progress: { total: 1000, read: (line) => (line === "end" ? undefined : Number(line)) },
      onLine(line) {
        lines.push(line)
        writeFileSync(seen, "")
      },
    })
    assert.deepEqual([code, stdout, lines], [0, "300\n600\n1000\nend", ["300", "600", "1000", "end"]])
    assert.equal(told[0], "fetch")
    assert.ok(existsSync(seen))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("a step that fails tells what it had said, one that is too slow or cancelled ends", async () => {
  await using host = localHost()
  const cancel = new AbortController()
  const work = plainWork(host, { id: "t", log: () => undefined, signal: cancel.signal })
  await assert.rejects(
    work.step("broken", change`echo said; echo why >&2; exit 3`),
    (error) => error instanceof CommandError && error.result.stdout === "said\n" && error.result.code === 3,
  )
  await assert.rejects(work.step("slow", change`sleep 60`, { timeout: 300 }), { fault: "timeout" })
  setTimeout(() => cancel.abort(), 300)
  await assert.rejects(work.step("cancelled", change`sleep 60`), { fault: "aborted" })
  await assert.rejects(work.step("late", change`true`), /cancelled before late/)
})
