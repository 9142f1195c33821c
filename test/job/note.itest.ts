import assert from "node:assert/strict"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { z } from "zod"
import { AppError } from "../../src/core/errors.ts"
import { localHost } from "../../src/host/local.ts"
import { readNote, readNotes, removeNotes, writeNote } from "../../src/job/note.ts"
import { change } from "../../src/shell/command.ts"
import { shells, shellWork } from "../support/shell-work.ts"

const schema = z.object({ text: z.string() })
const earlier = { text: "earlier" }
const hostile = { text: "a'b\"$(id)`id`\\n%s\n\t\u0007 ü € %d \\" }

function place() {
  const folder = mkdtempSync(join(tmpdir(), "t-note-"))
  const host = localHost()
  return {
    folder,
    host,
    file: `${folder}/deep/state/note.json`,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
  }
}

for (const shell of shells) {
  const work = shellWork(shell)

  test(`a note comes back as it was, nobody else can read it, and its umask is its own, under ${shell.join(" ")}`, async () => {
    await using ground = place()
    const { folder, file, host } = ground
    assert.equal(await readNote(ground, file, schema), undefined)
    await work.step("write", change`umask 022; ${writeNote(file, hostile)} || exit; echo x >${`${folder}/after`}`)
    assert.deepEqual(await readNote(ground, file, schema), hostile)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(statSync(`${folder}/deep/state`).mode & 0o777, 0o700)
    assert.equal(statSync(`${folder}/after`).mode & 0o777, 0o644)
    await host.run(removeNotes(file, `${file}.none`))
    assert.equal(await readNote(ground, file, schema), undefined)
    await host.run(removeNotes(`${folder}/no/such/note.json`))
  })

  for (const broken of ["mkdir", "sync", "mv"])
    test(`when ${broken} fails the earlier note stays whole and what follows is not done, under ${shell.join(" ")}`, async () => {
      await using ground = place()
      const { folder, file } = ground
      await work.step("write", writeNote(file, earlier))
      mkdirSync(`${folder}/bin`)
      writeFileSync(`${folder}/bin/${broken}`, "#!/bin/sh\nexit 1\n", { mode: 0o755 })
      const write = change`PATH=${`${folder}/bin`}:$PATH; ${writeNote(file, hostile)} || exit; echo done >${`${folder}/after`}`
      await assert.rejects(work.step("write", write))
      assert.deepEqual(await readNote(ground, file, schema), earlier)
      assert.throws(() => statSync(`${folder}/after`))
    })
}

test("a full disk leaves the earlier note whole", async () => {
  await using ground = place()
  const { file, host } = ground
  await host.run(writeNote(file, earlier))
  await host.run(change`ln -s /dev/full ${`${file}.t`}`)
  await assert.rejects(host.run(writeNote(file, hostile)))
  assert.deepEqual(await readNote(ground, file, schema), earlier)
})

test("a note that was cut anywhere, or says something else, is told as such and never taken for none", async () => {
  await using ground = place()
  const { file, host } = ground
  await host.run(writeNote(file, earlier))
  const whole = readFileSync(file)
  const told = (error: unknown) =>
    error instanceof AppError && error.code === "note-unreadable" && /put that right/.test(error.hint ?? "")
  for (let length = 0; length < whole.length - 1; length++) {
    writeFileSync(file, whole.subarray(0, length))
    await assert.rejects(readNote(ground, file, schema), told, `cut after ${length} bytes`)
  }
  for (const other of ['{"text":7}', "null", " \n", "\0\0\0\0"]) {
    writeFileSync(file, other)
    await assert.rejects(readNote(ground, file, schema), told, JSON.stringify(other))
  }
  writeFileSync(file, whole)
  chmodSync(file, 0o644)
  assert.deepEqual(await readNote(ground, file, schema), earlier)
})

test("one cut note of a folder is told and hides none of the others", async () => {
  await using ground = place()
  const { folder, host } = ground
  assert.deepEqual(await readNotes(ground, `${folder}/none`, schema), { notes: [], problems: [] })
  for (const name of ["a", "c"]) await host.run(writeNote(`${folder}/${name}.json`, { text: name }))
  for (const [name, text] of [
    ["b", '{"text'],
    ["d", ""],
  ] as const)
    writeFileSync(`${folder}/${name}.json`, text)
  const { notes, problems } = await readNotes(ground, folder, schema)
  assert.deepEqual(notes, [{ text: "a" }, { text: "c" }])
  assert.equal(problems.length, 2)
  assert.match(
    problems.join(),
    /b\.json, which an earlier run left, cannot be read: .*d\.json, which .* cannot be read: it is empty/,
  )
})
