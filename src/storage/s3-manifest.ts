import { createHash } from "node:crypto"
import { PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import type { Work } from "../host/work.ts"
import { change } from "../shell/command.ts"
import { manifestFile, printManifest } from "./manifest-file.ts"
import type { Bucket } from "./s3-client.ts"
import type { S3Context, S3StoreOptions } from "./s3-context.ts"
import { isRefused, statusOf } from "./s3-error.ts"
import { readText } from "./s3-list.ts"
import { lockFrom, lockHeaders, lockObject, type ObjectLock } from "./s3-lock.ts"
import { head } from "./s3-multipart.ts"
import { storageHeaders } from "./s3-storage-options.ts"

/**
 * Publishes a manifest, never over one that is there, and reads it back. A request that failed may have put it there all
 * the same: what counts is what lies there afterwards.
 */
export async function putManifest(
  { bucket, options, published }: S3Context,
  manifest: Manifest,
  work: Work,
): Promise<void> {
  const key = options.prefix + manifestFile(manifest.id)
  const text = printManifest(manifest)
  if (work.dryRun) {
    await work.step("publish-manifest-s3", change`: write ${`s3://${bucket.name}/${key}`}`)
    return
  }
  const lock = manifestLock(manifest, options)
  const content = { Body: text, ContentType: "application/json", ContentMD5: md5(text) }
  const object = { Bucket: bucket.name, Key: key, ...content, ...lockHeaders(lock), ...storageHeaders(options.storage) }
  published.add(manifest.id)
  try {
    await put(bucket, key, object)
  } catch (error) {
    // What was refused does not come later either; what had no answer may still be on its way, and its objects stay.
    if (isRefused(error) && (await isGone(bucket, key))) published.delete(manifest.id)
    if (!(await isThere(bucket, key, text))) throw error
  }
  if ((await readText(bucket, key)) !== text)
    throw failure("s3-manifest", `${key} in S3 is not the manifest that was written: another one is in its place`)
  if (lock) await lockObject(bucket, { key, versionId: (await head(bucket, key, undefined))?.versionId }, lock)
}

/** When the store cannot promise that nothing is written over, it is looked at first. */
async function put(bucket: Bucket, key: string, object: PutObjectCommandInput): Promise<void> {
  await bucket.call(`publishing ${key}`, async (client) => {
    try {
      await client.send(new PutObjectCommand({ ...object, IfNoneMatch: "*" }))
    } catch (error) {
      const status = statusOf(error)
      // 412: there is one; it may be ours, when the answer to an earlier try was lost. Its text decides.
      if (status === 501 && (await head(bucket, key, undefined)) === undefined)
        await client.send(new PutObjectCommand(object))
      else if (status !== 412 && status !== 501) throw error
    }
  })
}

/** A store that cannot be asked has nothing that could be relied on: the error before is the one to tell. */
async function isThere(bucket: Bucket, key: string, text: string): Promise<boolean> {
  return readText(bucket, key).then(
    (found) => found === text,
    () => false,
  )
}

/** Only what the store says itself. */
async function isGone(bucket: Bucket, key: string): Promise<boolean> {
  return head(bucket, key, undefined).then(
    (found) => found === undefined,
    () => false,
  )
}

/** As long as the objects that it names. */
function manifestLock({ storage }: Manifest, { immutable }: S3StoreOptions): ObjectLock | undefined {
  if (!immutable || storage.lockedUntil === undefined) return undefined
  return { ...lockFrom(0, immutable), until: new Date(storage.lockedUntil) }
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("base64")
}
