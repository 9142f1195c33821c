import assert from "node:assert/strict"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from "@aws-sdk/client-s3"
import type { AppError } from "../../src/core/errors.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { type S3Ground, s3Ground } from "../storage/s3-ground.ts"
import type { S3Server } from "../testbed/testbed.ts"
import { makeBackup, putBackup } from "./store.ts"

/** A client of the owner of a server's buckets; it can end locks that are not of compliance mode. */
function owner({ endpoint, region, accessKeyId, secretAccessKey }: S3Server): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
}

/** Makes a bucket, with object lock or without; one that is there already is used as it is. */
export async function ensureBucket(server: S3Server, { locked = false } = {}): Promise<void> {
  const client = owner(server)
  try {
    await client.send(new CreateBucketCommand({ Bucket: server.bucket, ObjectLockEnabledForBucket: locked }))
  } catch (error) {
    if (!/BucketAlready/.test((error as Error).name)) throw error
  } finally {
    client.destroy()
  }
}

/** Removes what is locked, as only its owner may. */
async function unlock({ client, options }: S3Ground): Promise<void> {
  const place = { Bucket: options.bucket, Prefix: options.prefix }
  const { Versions: versions = [], DeleteMarkers: markers = [] } = await client.send(
    new ListObjectVersionsCommand(place),
  )
  for (const { Key, VersionId } of [...versions, ...markers])
    await client.send(
      new DeleteObjectCommand({ Bucket: options.bucket, Key, VersionId, BypassGovernanceRetention: true }),
    )
}

/** What an S3 store that locks promises, on a bucket with object lock. */
export function testObjectLock(name: string, server: () => Promise<S3Server>): void {
  async function open(): Promise<S3Ground> {
    const locked = { ...(await server()), bucket: "locked-testbed" }
    await ensureBucket(locked, { locked: true })
    return s3Ground({ bucket: locked.bucket, transfer: "host", immutable: { days: 1, mode: "governance" } }, locked)
  }

  async function using(body: (ground: S3Ground, manifest: Manifest) => Promise<void>): Promise<void> {
    await using ground = await open()
    try {
      await ground.store.probe()
      await body(ground, await put(ground))
    } finally {
      await unlock(ground)
    }
  }

  async function put(ground: S3Ground): Promise<Manifest> {
    const manifest = makeBackup(ground.directory)
    const { objects, lockedUntil } = await ground.store.putArtifacts(manifest, ground.work)
    assert(lockedUntil !== undefined)
    const stored: Manifest = {
      ...manifest,
      storage: { local: "success", s3: "success", tier: "etag", lockedUntil, objects },
    }
    await ground.store.putManifest(stored, ground.work)
    return stored
  }

  test(`${name}: objects and manifest are locked for the days asked, and S3 keeps every one of them`, () =>
    using(async ({ client, options, store }, manifest) => {
      const until = Date.parse(manifest.storage.lockedUntil ?? "")
      assert(Math.abs(until - Date.now() - 86_400_000) < 120_000)
      const { Versions: versions = [] } = await client.send(
        new ListObjectVersionsCommand({ Bucket: options.bucket, Prefix: options.prefix }),
      )
      assert.equal(versions.length, 2)
      for (const { Key, VersionId } of versions)
        await assert.rejects(client.send(new DeleteObjectCommand({ Bucket: options.bucket, Key, VersionId })))
      assert.deepEqual(await store.verify(manifest), [])
    }))

  test(`${name}: a locked backup is not removed in part, and says until when it stays`, () =>
    using(async ({ store, work }, manifest) => {
      await assert.rejects(store.remove(manifest, work), (error: AppError) => {
        assert.equal(error.code, "s3-locked")
        assert(
          error.message.includes(`locked until ${new Date(manifest.storage.lockedUntil ?? "").toISOString()}`),
          error.message,
        )
        return true
      })
      assert.deepEqual(
        (await store.list()).backups.map((one) => one.manifest),
        [manifest],
      )
    }))

  test(`${name}: what is taken back of a backup that is not published stays while it is locked, and says until when`, () =>
    using(async ({ store, work, options }, { storage }) => {
      const [object] = storage.objects
      assert(object)
      const path = object.key.slice(options.prefix.length)
      const stay = await store.removeStrays([path], work)
      assert.match(stay.get(path) ?? "", /^locked until 2/)
      const id = "backup-20261121-050000"
      const unpublished = makeBackup(options.directory, { id, files: { "dragonfly/cache-3.rdb": Buffer.from("new") } })
      const { objects } = await store.putArtifacts(unpublished, work)
      await assert.rejects(store.discard(unpublished, work), {
        code: "s3-locked",
        message: /cache-3\.rdb is locked until/,
      })
      assert.equal(objects.length, 1)
      assert.deepEqual(await store.verify({ ...unpublished, storage: { ...unpublished.storage, objects } }), [])
    }))

  test(`${name}: where the stored versions are not known, the newest are brought back`, () =>
    using(async ({ store, work, directory }, manifest) => {
      const objects = manifest.storage.objects.map((one) => ({ ...one, versionId: "of-another-bucket" }))
      rmSync(`${directory}/dragonfly`, { recursive: true })
      await store.fetch({ ...manifest, storage: { ...manifest.storage, objects } }, work)
      assert.equal(readFileSync(`${directory}/dragonfly/cache-1.rdb`, "utf8"), "some keys")
    }))

  test(`${name}: nothing is made an object, and so locked, before its file is proven`, () =>
    using(async ({ store, work, options, proxy, directory }) => {
      const growing = { id: "backup-20261121-060000", file: "dragonfly/growing.dump", estimate: 48 * 1024 * 1024 }
      const bytes = Buffer.alloc(33 * 1024 * 1024, "x")
      writeFileSync(`${directory}/${growing.file}.partial`, bytes)
      writeFileSync(`${directory}/${growing.file}.partial.written`, "")
      const isCompletion = (line: string) => line.startsWith("POST ") && line.includes("uploadId=")
      const before = proxy.seen.filter(isCompletion).length
      await store.follow?.(growing, work, () => false)
      assert.equal(proxy.seen.filter((line) => line.includes("growing.dump") && line.startsWith("PUT ")).length, 4)
      assert.equal(proxy.seen.filter(isCompletion).length, before)
      await store.discard({ id: growing.id, services: [] }, work)
      assert.deepEqual(await store.below(["dragonfly/growing"]), [])
      assert.equal(options.immutable?.days, 1)
    }))

  test(`${name}: who deletes by name and writes over it has hidden nothing`, () =>
    using(async ({ client, options, store, work, directory, log }, manifest) => {
      const [object] = manifest.storage.objects
      assert(object)
      const at = (Key: string) => ({ Bucket: options.bucket, Key })
      await client.send(new DeleteObjectCommand(at(object.key)))
      const manifestKey = `${options.prefix}metadata/${manifest.id}.json`
      await client.send(new PutObjectCommand({ ...at(manifestKey), Body: "{}" }))
      await client.send(new DeleteObjectCommand(at(manifestKey)))
      const { backups, unreadable } = await store.list()
      assert.deepEqual([backups.map((one) => one.manifest), unreadable], [[manifest], []])
      assert.match(log.join("\n"), /was deleted in S3 after it was stored/)
      assert.deepEqual(await store.lacking([manifest]), new Map())
      assert.deepEqual(await store.verify(manifest), [])
      rmSync(`${directory}/dragonfly`, { recursive: true })
      await store.fetch(manifest, work)
      assert.equal(readFileSync(`${directory}/dragonfly/cache-1.rdb`, "utf8"), "some keys")
    }))

  test(`${name}: a legal hold keeps a backup whose lock has ended; without it nothing of it stays`, () =>
    using(async ({ client, options, store, work }, manifest) => {
      const [object] = manifest.storage.objects
      assert(object)
      const files = { "dragonfly/cache-2.rdb": Buffer.from("free") }
      const free = makeBackup(options.directory, { id: "backup-20261121-040000", files })
      const plain = s3Store({ ...options, immutable: undefined })
      const ground = { store: plain, work, directory: options.directory } as S3Ground
      const stored = await putBackup(ground, free)
      const { key, versionId } = stored.storage.objects[0] ?? { key: "" }
      const hold = (Status: "ON" | "OFF") =>
        client.send(
          new PutObjectLegalHoldCommand({
            Bucket: options.bucket,
            Key: key,
            VersionId: versionId,
            LegalHold: { Status },
          }),
        )
      await hold("ON")
      await assert.rejects(store.remove(stored, work), /under a legal hold/)
      assert.equal((await store.list()).backups.length, 2)
      await hold("OFF")
      await store.remove(stored, work)
      const { Versions: versions = [], DeleteMarkers: markers = [] } = await client.send(
        new ListObjectVersionsCommand({ Bucket: options.bucket, Prefix: options.prefix }),
      )
      assert.deepEqual([versions.length, markers.length], [2, 0])
    }))

  test(`${name}: a bucket without object lock is refused before anything is stored`, async () => {
    const plain = await server()
    await ensureBucket(plain)
    await using ground = await s3Ground({ bucket: plain.bucket, immutable: { days: 1, mode: "governance" } }, plain)
    await assert.rejects(ground.store.probe(), /the bucket .* has no object lock/)
    assert.deepEqual(await ground.keys(), [])
  })
}
