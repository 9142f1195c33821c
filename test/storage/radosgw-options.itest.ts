import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { after, before, test } from "node:test"
import { HeadObjectCommand } from "@aws-sdk/client-s3"
import type { AppError } from "../../src/core/errors.ts"
import { manifestFile } from "../../src/storage/manifest-file.ts"
import { ensureBucket } from "../conformance/object-lock.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { radosgw } from "../testbed/radosgw.ts"
import { radosgwWithOptions } from "../testbed/radosgw-options.ts"
import { s3Ground } from "./s3-ground.ts"

let server: Awaited<ReturnType<typeof radosgwWithOptions>>
before(async () => {
  server = await radosgwWithOptions()
  // The second gateway knows no region in which it could make one.
  await ensureBucket(await radosgw())
})
after(() => server[Symbol.asyncDispose]())

const file = "postgres/large.dump"

test("Ceph keeps files and manifest encrypted with the key and in the class that were asked for, and gives them back", async () => {
  const storage = { serverSide: "kms", kmsKey: "testkey-1", storageClass: "STANDARD_IA" } as const
  await using ground = await s3Ground({ transfer: "host", storage, readBack: true }, server)
  await ground.store.probe()
  const bytes = randomBytes(17 * 1024 * 1024)
  const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: bytes } }))
  assert.equal(manifest.storage.tier, "read-back")
  for (const name of [file, manifestFile(manifest.id)]) {
    const found = await ground.client.send(
      new HeadObjectCommand({ Bucket: server.bucket, Key: `${ground.options.prefix}${name}` }),
    )
    assert.deepEqual(
      [found.ServerSideEncryption, found.SSEKMSKeyId, found.StorageClass],
      ["aws:kms", "testkey-1", "STANDARD_IA"],
    )
  }
  assert.deepEqual(await ground.store.verify(manifest), [])
  rmSync(`${ground.directory}/${file}`)
  await ground.store.fetch(manifest, ground.work)
  assert(readFileSync(`${ground.directory}/${file}`).equals(bytes))
})

for (const storage of [
  { serverSide: "kms", kmsKey: "no-such-key" },
  { serverSide: "s3" },
  { storageClass: "NO_SUCH_CLASS" },
] as const)
  test(`Ceph without ${Object.values(storage).join(" ")} is told before the backup begins`, async () => {
    await using ground = await s3Ground({ transfer: "host", storage }, server)
    await assert.rejects(ground.store.probe(), (error: AppError) => {
      assert.deepEqual([error.kind, error.code], ["input", "s3-storage"])
      assert.match(error.hint ?? "", /storage-class of backup\.s3/)
      return true
    })
  })
