import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import type { Readable } from "node:stream"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import type { Manifest } from "../../src/core/manifest.ts"
import type { Input } from "../../src/host/host.ts"
import { openBucket } from "../../src/storage/s3-client.ts"
import { abortStale } from "../../src/storage/s3-list.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"

const large = randomBytes(40 * 1024 * 1024)
const file = "postgres/large.dump"

function isPart(method: string, url: string): boolean {
  return method === "PUT" && url.includes("partNumber=")
}

async function unfinished({ client, options }: S3Ground): Promise<number> {
  const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: options.bucket }))
  return uploads.filter((one) => one.Key?.startsWith(options.prefix)).length
}

/** Two environments that share a prefix, each with a backup of the same second. */
async function sameSecond() {
  const ground = await s3Ground({ transfer: "host" })
  const other = await s3Ground({ transfer: "host", prefix: ground.options.prefix, environment: "other" })
  const theirs = makeBackup(other.directory, { files: { "dragonfly/cache-1.rdb": Buffer.from("other keys") } })
  const put = () => putBackup(other, { ...theirs, environment: "other" })
  return Object.assign(ground, { other, put, mine: makeBackup(ground.directory) })
}

/** Each has its own bytes under a key of its own. */
async function areApart({ store, work, directory }: S3Ground, theirs: Manifest, mine: Manifest): Promise<void> {
  assert.notEqual(mine.storage.objects[0]?.key, theirs.storage.objects[0]?.key)
  assert.deepEqual(await store.verify(theirs), [])
  assert.deepEqual(await store.verify(mine), [])
  rmSync(`${directory}/dragonfly/cache-1.rdb`)
  await store.fetch(mine, work)
  assert.equal(readFileSync(`${directory}/dragonfly/cache-1.rdb`, "utf8"), "some keys")
}

for (const when of ["while its parts go up", "in the moment of its completion"])
  test(`a key that another backup takes ${when} is left to that one`, async () => {
    await using ground = await sameSecond()
    await using other = ground.other
    const theirs = Promise.withResolvers<Manifest>()
    let begun = false
    const isMoment = when.startsWith("while")
      ? isPart
      : (method: string, url: string) => method === "POST" && url.includes("uploadId=")
    ground.proxy.fault = (method, url) => {
      if (begun || !isMoment(method, url)) return "pass"
      begun = true
      ground.put().then(theirs.resolve, theirs.reject)
      return { delay: 5000 }
    }
    const { objects } = await ground.store.putArtifacts(ground.mine, ground.work)
    assert.equal((await other.store.list()).backups.length, 1, "it was published meanwhile")
    const mine = { ...ground.mine, storage: { ...ground.mine.storage, objects } }
    await areApart(ground, await theirs.promise, mine)
    assert.equal(await unfinished(ground), 0)
    // The manifest of this second is theirs.
    await assert.rejects(ground.store.putManifest(mine, ground.work), /another one is in its place/)
  })

test("what has come under the key of an unpublished object is not taken back with it", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const manifest = makeBackup(ground.directory)
  await ground.store.putArtifacts(manifest, ground.work)
  await ground.damage("dragonfly/cache-1.rdb")
  await ground.store.discard(manifest, ground.work)
  assert.deepEqual(await ground.keys(), [`${ground.options.prefix}dragonfly/cache-1.rdb`])
})

for (const transfer of ["host", "runner"] as const)
  test(`a bucket that was moved gives its backups back, by their SHA-256 alone (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer })
    const { client, options, store, directory, work } = ground
    const put = await putBackup(ground, makeBackup(directory, { files: { [file]: large } }))
    const move = async (bytes: Buffer) => {
      const Key = `${options.prefix}${file}`
      await client.send(new PutObjectCommand({ Bucket: options.bucket, Key, Body: bytes }))
    }
    // As one tool copies it: in a single piece, and into a bucket that has given no version ids.
    await move(large)
    const objects = put.storage.objects.map((one) => ({ ...one, versionId: "of-another-bucket" }))
    const manifest = { ...put, storage: { ...put.storage, objects } }
    rmSync(`${directory}/${file}`)
    await store.fetch(manifest, work)
    assert(readFileSync(`${directory}/${file}`).equals(large))
    await store.fetch(manifest, work)
    assert.deepEqual(readdirSync(`${directory}/postgres`), ["large.dump"])
    assert.match(ground.log.join("\n"), /large\.dump is not the object that was stored .*its SHA-256 decides/)
    assert.match(
      (await store.verify(put)).join("\n"),
      /has other bytes \(ETag/,
      "to verify is to compare with what was stored",
    )

    const changed = Buffer.from(large)
    changed.writeUInt8(changed.readUInt8(20_000_000) ^ 1, 20_000_000)
    await move(changed)
    // The host's right bytes are no word about the copy.
    await assert.rejects(store.fetch(manifest, work), { code: "s3-differs" })
    rmSync(`${directory}/${file}`)
    await assert.rejects(store.fetch(manifest, work), /other bytes than its manifest says/)
    await move(changed.subarray(1))
    await assert.rejects(store.fetch(manifest, work), {
      code: "backup-corrupt",
      message: /has 41943039 bytes instead of/,
    })
    assert.deepEqual(readdirSync(`${directory}/postgres`), [])
    await store.remove(manifest, work)
    assert.deepEqual(await ground.keys(), [])
  })

test("who gives up what comes through the runner is not sent it again", async () => {
  await using ground = await s3Ground({ transfer: "runner" })
  const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
  rmSync(`${ground.directory}/${file}`)
  const full = {
    ...ground.host,
    async upload(content: Input) {
      for await (const _ of content as Readable) throw new Error("the disk is full")
    },
  }
  const before = ground.proxy.seen.length
  await assert.rejects(s3Store({ ...ground.options, host: full }).fetch(manifest, ground.work), /the disk is full/)
  await sleep(1500)
  const got = ground.proxy.seen.slice(before).filter((one) => /^GET .*large/.test(one))
  assert.equal(got.length, 1, ground.log.join("\n"))
})

test("unfinished uploads that nobody noted go after a week, however many pages of them there are", async () => {
  await using ground = await s3Ground()
  const { client, options } = ground
  for (const name of ["a", "b", "c", "d", "e"])
    await client.send(
      new CreateMultipartUploadCommand({ Bucket: options.bucket, Key: `${options.prefix}postgres/${name}.dump` }),
    )
  const bucket = openBucket(options)
  // Two a page: the store's own pages hold a thousand.
  bucket.client.middlewareStack.add((next) => (args) => next({ ...args, input: { ...args.input, MaxUploads: 2 } }), {
    step: "initialize",
  })
  const { prefix } = options
  const days = (count: number) => Date.now() + count * 86_400_000
  const log = (line: string) => ground.log.push(line)
  await abortStale(bucket, { prefix, now: days(6.9), log })
  assert.equal(await unfinished(ground), 5)
  await abortStale(bucket, { prefix, now: days(7.1), log })
  assert.equal(await unfinished(ground), 0, ground.log.join("\n"))
})
