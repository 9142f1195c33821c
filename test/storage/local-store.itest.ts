import assert from "node:assert/strict"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { makeBackup, putBackup, type StoreGround, testStore } from "../conformance/store.ts"
import { directWork } from "../support/direct-work.ts"
import { shells } from "../support/shell-work.ts"

async function open(): Promise<StoreGround> {
  const host = localHost()
  const base = mkdtempSync(join(tmpdir(), "t-store-"))
  const directory = `${base}/back ups`
  return {
    store: localStore({ host, directory, project: "shop", environment: "test" }),
    work: directWork(host),
    directory,
    async damage(file) {
      const bytes = readFileSync(`${directory}/${file}`)
      bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
      writeFileSync(`${directory}/${file}`, bytes)
    },
    async lose(file) {
      rmSync(`${directory}/${file}`)
    },
    async plant(name, text) {
      mkdirSync(`${directory}/metadata`, { recursive: true })
      writeFileSync(`${directory}/metadata/${name}`, text)
    },
    async [Symbol.asyncDispose]() {
      rmSync(base, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
  }
}

testStore("local", open)

test("modes are 600 and 700, and half written files of dead runs go", async () => {
  await using ground = await open()
  const { directory, store, work } = ground
  const manifest = await putBackup(ground, makeBackup(directory))
  assert.equal(statSync(`${directory}/metadata/${manifest.id}.json`).mode & 0o777, 0o600)
  const old = new Date(Date.now() - 86_460_000)
  const sent = new Date(Date.now() - 80_000_000)
  for (const name of ["a.rdb.partial", "a.rdb.partial.sum", "b.rdb.partial"])
    writeFileSync(`${directory}/dragonfly/${name}`, "x")
  for (const name of ["a.rdb.partial", "a.rdb.partial.sum"]) utimesSync(`${directory}/dragonfly/${name}`, old, old)
  // An encrypted copy is not written to while it goes up, for as long as that takes.
  utimesSync(`${directory}/dragonfly/b.rdb.partial`, sent, sent)
  await store.prepare(work)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert(!existsSync(`${directory}/dragonfly/a.rdb.partial`))
  assert(!existsSync(`${directory}/dragonfly/a.rdb.partial.sum`))
  assert(existsSync(`${directory}/dragonfly/b.rdb.partial`), "another project may be writing it")
  assert.deepEqual(await store.verify(manifest), [])
})

for (const shell of shells)
  test(`manifests that are damaged or cannot be read are named, and hide no other (${shell.join(" ")})`, async () => {
    await using ground = await open()
    const manifest = await putBackup(ground, makeBackup(ground.directory))
    const metadata = `${ground.directory}/metadata`
    const text = readFileSync(`${metadata}/${manifest.id}.json`)
    text.writeUInt8(0xff, text.indexOf("tester"))
    writeFileSync(`${metadata}/backup-20261122-000000.json`, text)
    writeFileSync(`${metadata}/backup-20261123-000000.json`, "")
    mkdirSync(`${metadata}/backup-20261124-000000.json`)
    symlinkSync("nowhere", `${metadata}/backup-20261125-000000.json`)
    writeFileSync(`${metadata}/backup-a\nb 'ü.json`, "{}")
    const host = localHost({ shell: [...shell] })
    const store = localStore({ host, directory: ground.directory, project: "shop", environment: "test" })
    const { backups, unreadable } = await store.list()
    assert.deepEqual(await store.lacking([manifest]), new Map())
    writeFileSync(`${ground.directory}/dragonfly/cache-1.rdb`, "some")
    const short = "dragonfly/cache-1.rdb has 4 bytes instead of 9"
    assert.deepEqual(await store.lacking([manifest]), new Map([[manifest.id, [short]]]))
    await ground.lose("dragonfly/cache-1.rdb")
    assert.deepEqual(await store.lacking([manifest]), new Map([[manifest.id, ["dragonfly/cache-1.rdb is missing"]]]))
    await host[Symbol.asyncDispose]()
    assert.deepEqual(
      backups.map((one) => one.manifest),
      [manifest],
    )
    const said = unreadable.join("\n")
    assert.equal(said.split("\n").length, 5, said)
    assert.match(said, /backup-20261122-000000\.json: damaged: it is no UTF-8 text/)
    for (const day of ["24", "25"])
      assert.match(said, new RegExp(`backup-202611${day}-000000\\.json: the file cannot be read`))
  })

test("a directory that cannot be written is an error that names it", async () => {
  await using ground = await open()
  const host = localHost({ shell: ["setpriv", "--reuid=65534", "--clear-groups", "sh"] })
  const store = localStore({ host, directory: "/root/nowhere", project: "shop", environment: "test" })
  await assert.rejects(store.probe(), /cannot write into the backup directory \/root\/nowhere/)
  await host[Symbol.asyncDispose]()
  await ground.store.probe()
})
