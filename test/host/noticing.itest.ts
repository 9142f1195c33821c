import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Readable } from "node:stream"
import { buffer } from "node:stream/consumers"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { localHost } from "../../src/host/local.ts"
import { noticing } from "../../src/host/noticing.ts"
import { sh } from "../../src/shell/command.ts"

test("bytes on their way are progress, both ways, and what breaks off is an error", async () => {
  let noticed = 0
  const since = () => {
    const count = noticed
    noticed = 0
    return count
  }
  await using inner = localHost()
  const host = noticing(inner, () => noticed++)
  const directory = mkdtempSync(join(tmpdir(), "t-noticing-"))
  const path = join(directory, "file")
  const chunks = Array.from({ length: 20 }, (_, at) => Buffer.alloc(65_536, at))
  try {
    await host.upload(Readable.from(chunks), path)
    assert.ok(since() >= 20)
    assert.deepEqual(readFileSync(path), Buffer.concat(chunks))
    assert.deepEqual(await buffer(host.download(path)), Buffer.concat(chunks))
    assert.ok(since() >= 10)
    assert.deepEqual(await buffer(host.stream(sh`cat ${path}`).stdout), Buffer.concat(chunks))
    assert.ok(since() >= 10)
    assert.equal((await host.run(sh`wc -c`, { input: Readable.from(chunks) })).stdout.trim(), "1310720")
    assert.ok(since() >= 20)

    const cut = async function* () {
      yield chunks[0]
      throw new Error("cut on the way")
    }
    await assert.rejects(host.upload(Readable.from(cut()), join(directory, "cut")), /cut on the way/)
    await assert.rejects(buffer(host.download(join(directory, "nowhere"))), /nowhere/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("an input that breaks before it is read is told, and a file that nobody reads on is not sent on", async () => {
  await using inner = localHost()
  const host = noticing(inner, () => undefined)
  const input = new Readable({ read: () => undefined })
  const told = assert.rejects(host.run(sh`sleep 1; cat`, { input }), /could not be read: early/)
  input.destroy(new Error("early"))
  await told

  const path = join(mkdtempSync(join(tmpdir(), "t-noticing-")), "endless")
  try {
    await inner.run(sh`ln -s /dev/zero ${path}`)
    const given = host.download(path).on("error", () => undefined)
    const readers = async () => Number((await inner.run(sh`pgrep -cxf ${`cat -- ${path}`}`, { allow: [0, 1] })).stdout)
    while ((await readers()) === 0) await sleep(50)
    given.destroy()
    for (let tries = 0; (await readers()) > 0; tries++) {
      assert.ok(tries < 100, "it is still being read")
      await sleep(50)
    }
  } finally {
    rmSync(dirname(path), { recursive: true })
  }
})
