import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { z } from "zod"
import { localHost } from "../../src/host/local.ts"
import { forgetNote, readNote, writeNote } from "../../src/job/read-note.ts"

const schema = z.object({ format: z.literal(1), word: z.string() })
const note = { format: 1 as const, word: "it's\n$HOME" }

test("a note is read as it was written, and gone when it is forgotten", async () => {
  using ground = place()
  const { host, file } = ground
  assert.equal(await readNote({ host }, file, schema), undefined)
  await host.run(writeNote(file, note))
  assert.deepEqual(await readNote({ host }, file, schema), note)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  await host.run(forgetNote(file))
  assert.equal(await readNote({ host }, file, schema), undefined)
})

test("an empty, cut or strange note is an error that names it, never no note", async () => {
  using ground = place()
  const { host, file } = ground
  await host.run(writeNote(file, note))
  const text = readFileSync(file, "utf8")
  for (const damaged of ["", "\n", "none", text.slice(0, -3), '{"format":2}']) {
    writeFileSync(file, damaged)
    await assert.rejects(readNote({ host }, file, schema), { code: "note-unreadable", message: /upgrade\.json/ })
  }
})

test("a note is on disk before it takes its place, and that before anything else", () => {
  using ground = place()
  for (const tool of ["sync", "mv", "rm"])
    writeFileSync(join(ground.folder, tool), `#!/bin/sh\necho ${tool} "$@" >&2\nexec /bin/${tool} "$@"\n`, {
      mode: 0o755,
    })
  const { text } = writeNote(ground.file, note)
  const trace = (script: string) =>
    execFileSync("sh", ["-c", `exec 2>&1; PATH=${ground.folder}:$PATH\n${script}`], { encoding: "utf8" })
      .replaceAll(`${ground.folder}/`, "")
      .replaceAll(ground.folder, "")
  assert.equal(trace(text), "sync state/upgrade.json.t\nmv -f state/upgrade.json.t state/upgrade.json\nsync state\n")
  assert.equal(trace(forgetNote(ground.file).text), "rm -f state/upgrade.json\nsync state\n")
})

function place() {
  const folder = mkdtempSync(join(tmpdir(), "t-note-"))
  return {
    ...{ folder, file: join(folder, "state/upgrade.json"), host: localHost() },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
