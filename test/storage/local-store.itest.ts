import assert from "node:assert/strict"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { makeBackup, putBackup, type StoreGround, testStore } from "../conformance/store.ts"
import { directWork } from "../support/direct-work.ts"

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
  const old = new Date(Date.now() - 3_660_000)
  for (const name of ["a.rdb.partial", "a.rdb.partial.sum", "b.rdb.partial"])
    writeFileSync(`${directory}/dragonfly/${name}`, "x")
  for (const name of ["a.rdb.partial", "a.rdb.partial.sum"]) utimesSync(`${directory}/dragonfly/${name}`, old, old)
  await store.prepare(work)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert(!existsSync(`${directory}/dragonfly/a.rdb.partial`))
  assert(!existsSync(`${directory}/dragonfly/a.rdb.partial.sum`))
  assert(existsSync(`${directory}/dragonfly/b.rdb.partial`), "another project may be writing it")
  assert.deepEqual(await store.verify(manifest), [])
})

test("a directory that cannot be written is an error that names it", async () => {
  await using ground = await open()
  const host = localHost({ shell: ["setpriv", "--reuid=65534", "--clear-groups", "sh"] })
  const store = localStore({ host, directory: "/root/nowhere", project: "shop", environment: "test" })
  await assert.rejects(store.probe(), /cannot write into the backup directory \/root\/nowhere/)
  await host[Symbol.asyncDispose]()
  await ground.store.probe()
})
