import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { test } from "node:test"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { shells, shellWork } from "../support/shell-work.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"

// Five parts and ranges.
const bytes = randomBytes(72 * 1024 * 1024)
const file = "postgres/large.dump"

/** URLs that are old after so many answers: what S3 does with every URL after its hour. */
function aging(answers: number, match: (method: string, url: string) => boolean): S3Ground["proxy"]["fault"] {
  const used = new Map<string, number>()
  return (method, url) => {
    if (!match(method, url)) return "pass"
    const { searchParams } = new URL(url, "http://s3")
    const times = (used.get(searchParams.get("X-Amz-Signature") ?? "") ?? 0) + 1
    used.set(searchParams.get("X-Amz-Signature") ?? "", times)
    return times > answers ? 403 : "pass"
  }
}

const isGet = (method: string, url: string) => method === "GET" && url.includes("large.dump")

for (const shell of shells)
  test(`a file comes however many URLs get old on the way (${shell.join(" ")})`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    const { store, proxy, directory } = ground
    const work = shellWork(shell)
    const manifest = await putBackup({ ...ground, work }, makeBackup(directory, { files: { [file]: bytes } }))
    rmSync(`${directory}/${file}`)
    proxy.fault = aging(1, isGet)
    await store.fetch(manifest, work)
    assert(readFileSync(`${directory}/${file}`).equals(bytes))
  })

test("what came before S3 refused even a fresh URL stays, and is not fetched again", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const { store, work, proxy, directory } = ground
  const manifest = await putBackup(ground, makeBackup(directory, { files: { [file]: bytes } }))
  rmSync(`${directory}/${file}`)
  let left = 2
  proxy.fault = (method, url) => (isGet(method, url) && left-- <= 0 ? 403 : "pass")
  await assert.rejects(store.fetch(manifest, work), /S3 answered 403 for postgres\/large\.dump/)
  proxy.fault = () => "pass"
  proxy.seen.length = 0
  await store.fetch(manifest, work)
  assert.equal(proxy.seen.filter((line) => line.startsWith("GET ") && line.includes("large.dump")).length, 3)
  assert(readFileSync(`${directory}/${file}`).equals(bytes))
})

test("a file goes up however many batches of URLs get old on the way", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const { proxy, directory, store } = ground
  const refused = new Set<string>()
  proxy.fault = (method, url) => {
    const part = new URL(url, "http://s3").searchParams.get("partNumber")
    if (method !== "PUT" || part === null || part === "1" || refused.has(part)) return "pass"
    refused.add(part)
    return 403
  }
  const manifest = await putBackup(ground, makeBackup(directory, { files: { [file]: bytes } }))
  assert.equal(refused.size, 4)
  assert.deepEqual(await store.verify(manifest), [])
})

test("a part that every fresh URL is refused for fails the upload", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  ground.proxy.fault = (method, url) => (method === "PUT" && url.includes("partNumber=3") ? 403 : "pass")
  const manifest = makeBackup(ground.directory, { files: { [file]: bytes } })
  await assert.rejects(ground.store.putArtifacts(manifest, ground.work), /part 3 was answered with 403/)
  assert.deepEqual(await ground.keys(), [])
})
