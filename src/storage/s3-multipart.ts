import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import type { Bucket } from "./s3-client.ts"
import { isMissing, statusOf } from "./s3-error.ts"
import { lockHeaders, type ObjectLock } from "./s3-lock.ts"
import { bareEtag, type Part, partSize } from "./s3-parts.ts"
import { type KeptAs, type StorageOptions, storageHeaders } from "./s3-storage-options.ts"

/** An upload that S3 has given an id. */
export interface OpenUpload {
  /** The id of the backup that it is for. */
  readonly backup: string
  readonly key: string
  readonly id: string
  /** Bytes of each part but the last. */
  readonly size: number
}

export interface BeginOptions {
  readonly backup: string
  readonly key: string
  /** That it will hardly be more than. */
  readonly bytes: number
  readonly lock?: ObjectLock | undefined
  readonly storage?: StorageOptions | undefined
}

/** Begins an upload in parts that suit so many bytes. Nothing is stored by it yet. */
export async function beginUpload(
  bucket: Bucket,
  { backup, key, bytes, lock, storage }: BeginOptions,
): Promise<OpenUpload> {
  const headers = { ...lockHeaders(lock), ...storageHeaders(storage) }
  const { UploadId: id } = await bucket.call(`beginning the upload of ${key}`, (client) =>
    client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key, ...headers })),
  )
  if (!id) throw failure("s3-failed", `S3 gave no id for the upload of ${key}`)
  return { backup, key, id, size: partSize(bytes) }
}

/** The ETags that S3 has for the parts, after their lengths are compared. */
export async function listedParts(
  bucket: Bucket,
  { key, id }: OpenUpload,
  parts: readonly Part[],
): Promise<readonly string[]> {
  const { Parts: listed = [] } = await bucket.call(`listing the parts of ${key}`, (client) =>
    client.send(new ListPartsCommand({ Bucket: bucket.name, Key: key, UploadId: id, MaxParts: 1000 })),
  )
  return parts.map(({ number, bytes }) => {
    const found = listed.find((one) => one.PartNumber === number)
    if (found?.Size === bytes && found.ETag !== undefined) return found.ETag
    throw failure(
      "s3-differs",
      `S3 holds ${found?.Size ?? "nothing"} of part ${number} of ${key}, ${bytes} bytes were sent`,
    )
  })
}

/**
 * Makes the object, never over another where the store can promise that. The answer may be lost, and a second try then finds
 * no upload: what counts is what lies there afterwards. False when something lay there already; it may be this very object.
 */
export async function complete(bucket: Bucket, { key, id }: OpenUpload, etags: readonly string[]): Promise<boolean> {
  const parts = etags.map((etag, index) => ({ PartNumber: index + 1, ETag: etag }))
  const request = { Bucket: bucket.name, Key: key, UploadId: id, MultipartUpload: { Parts: parts } }
  return await bucket.call(`completing ${key}`, async (client) => {
    try {
      try {
        await client.send(new CompleteMultipartUploadCommand({ ...request, IfNoneMatch: "*" }))
      } catch (error) {
        if (statusOf(error) !== 501) throw error
        await client.send(new CompleteMultipartUploadCommand(request))
      }
    } catch (error) {
      // 409: another one was being made there at the same time.
      if ([409, 412].includes(statusOf(error) ?? 0)) return false
      if (!isMissing(error) || (await head(bucket, key, undefined)) === undefined) throw error
    }
    return true
  })
}

export interface ObjectHead {
  readonly bytes: number
  readonly etag: string
  readonly versionId: string | undefined
  /** The ETag is not made from the bytes. */
  readonly opaque: boolean
  readonly kept: KeptAs
}

/** What S3 says of an object; undefined when there is none, or none of that version: 400 is the answer to an id of another store. */
export async function head(
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): Promise<ObjectHead | undefined> {
  return await bucket.call(`looking at ${key}`, async (client) => {
    try {
      const version = versionId === undefined ? {} : { VersionId: versionId }
      const found = await client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: key, ...version }))
      return {
        bytes: found.ContentLength ?? -1,
        etag: bareEtag(found.ETag),
        versionId: found.VersionId === "null" ? undefined : found.VersionId,
        kept: {
          serverSide: found.ServerSideEncryption,
          kmsKey: found.SSEKMSKeyId,
          storageClass: found.StorageClass,
        },
        opaque: found.ServerSideEncryption?.startsWith("aws:kms") === true || found.SSECustomerAlgorithm !== undefined,
      }
    } catch (error) {
      if (isMissing(error) || (versionId !== undefined && statusOf(error) === 400)) return undefined
      throw error
    }
  })
}

/** Takes an upload back by its id; false when S3 knows none, for it was completed, or taken back before. */
export async function abortUpload(bucket: Bucket, { key, id }: Pick<OpenUpload, "key" | "id">): Promise<boolean> {
  return await bucket.call(`taking back the upload of ${key}`, async (client) => {
    try {
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id }))
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  })
}

/** What was sent so far must not stay and be paid for. The reason for giving up is what the caller has to hear. */
export async function abort(bucket: Bucket, upload: OpenUpload, reason?: unknown): Promise<void> {
  try {
    await abortUpload(bucket, upload)
  } catch {
    // The upload is noted on the host: the next run takes it back.
    if (reason instanceof Error) reason.message += ` (and the upload of ${upload.key} could not be taken back)`
  }
}
