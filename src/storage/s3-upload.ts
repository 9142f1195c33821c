import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import type { PutReport } from "./backup-store.ts"
import type { Bucket } from "./s3-client.ts"
import { isMissing } from "./s3-error.ts"
import { lockHeaders, type ObjectLock } from "./s3-lock.ts"
import { bareEtag, compositeEtag, mostParts, type Part, partSize, planParts } from "./s3-parts.ts"
import { type KeptAs, type StorageOptions, storageHeaders } from "./s3-storage-options.ts"

/** An upload that S3 has given an id. */
export interface OpenUpload {
  readonly key: string
  readonly id: string
  readonly size: number
}

/** An upload that began while its file was being written. */
export interface BegunUpload {
  /** The backup's id. */
  readonly backup: string
  /** Part of its steps' names. */
  readonly number: number
  readonly upload: OpenUpload
  /** MD5s, hexadecimal, of the parts that S3 has taken, by number. */
  readonly md5s: Map<number, string>
  /** The encrypted copy that is going up, once it is whole: what it holds, and the SHA-256 of the file that it was made from. */
  encrypted?: { readonly bytes: number; readonly sha256: string; readonly of: string }
}

export interface SendOptions {
  readonly parts: readonly Part[]
  readonly artifact: Artifact
  /** MD5s of parts that S3 has already; they are believed only when the file's own parts have them. */
  readonly sent: ReadonlyMap<number, string>
}

/** Sends parts and gives the MD5s of all, hexadecimal, in the same order; throws when one cannot be sent. */
export type PartSender = (upload: OpenUpload, options: SendOptions) => Promise<readonly string[]>

interface UploadTarget {
  readonly key: string
  readonly send: PartSender
  readonly lock?: ObjectLock | undefined
  readonly storage?: StorageOptions | undefined
  /** Goes on with this upload, if it is under `key`. */
  readonly begun?: BegunUpload | undefined
}

export interface UploadedObject {
  readonly object: PutReport["objects"][number]
  readonly tier: "etag" | "parts-only"
  readonly kept: KeptAs
}

/**
 * Brings one file into S3 under a key that nothing has yet, in equal parts, and proves it: every part was accepted only
 * with its MD5, S3's list of parts has these MD5s and lengths, and the object's length and ETag are as computed. When the
 * object differs the next try takes another key: on a locked or versioned store a bad object cannot be taken back.
 */
export async function uploadObject(bucket: Bucket, artifact: Artifact, target: UploadTarget): Promise<UploadedObject> {
  const { key } = target
  const problems: string[] = []
  for (const candidate of [key, `${key}.r2`, `${key}.r3`]) {
    const begun = candidate === target.begun?.upload.key ? target.begun : undefined
    if ((await head(bucket, candidate, undefined)) !== undefined) {
      problems.push(`${candidate} is already there`)
      if (begun) await abort(bucket, begun.upload)
      continue
    }
    const result = await uploadOnce(bucket, artifact, { ...target, key: candidate, begun })
    if ("object" in result) return result
    problems.push(result.problem)
  }
  throw failure("s3-differs", `S3 does not hold ${artifact.file} as it is on the host: ${problems.join("; ")}`)
}

async function uploadOnce(
  bucket: Bucket,
  artifact: Artifact,
  { send, begun, ...target }: UploadTarget,
): Promise<UploadedObject | { readonly problem: string }> {
  const fits = begun && planParts(artifact.bytes, begun.upload.size).length <= mostParts
  if (begun && !fits) await abort(bucket, begun.upload)
  const upload = fits ? begun.upload : await beginUpload(bucket, { ...target, bytes: artifact.bytes })
  const parts = planParts(artifact.bytes, upload.size)
  try {
    const md5s = await send(upload, { parts, artifact, sent: fits ? begun.md5s : new Map() })
    const etags = await listedParts(bucket, upload, parts)
    await complete(bucket, upload, etags)
    return await prove(bucket, artifact, { upload, md5s, etags })
  } catch (error) {
    await abort(bucket, upload, error)
    throw error
  }
}

/** Begins an upload in parts that suit so many bytes. */
export async function beginUpload(
  bucket: Bucket,
  { key, bytes, lock, storage }: Pick<UploadTarget, "key" | "lock" | "storage"> & { readonly bytes: number },
): Promise<OpenUpload> {
  const headers = { ...lockHeaders(lock), ...storageHeaders(storage) }
  const { UploadId: id } = await bucket.call(`beginning the upload of ${key}`, (client) =>
    client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key, ...headers })),
  )
  if (!id) throw failure("s3-failed", `S3 gave no id for the upload of ${key}`)
  return { key, id, size: partSize(bytes) }
}

/** The ETags that S3 has for the parts, after their lengths are compared. */
async function listedParts(
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

/** The answer may be lost, and a second try then finds no upload: what counts is what lies there afterwards. */
async function complete(bucket: Bucket, { key, id }: OpenUpload, etags: readonly string[]): Promise<void> {
  const parts = etags.map((etag, index) => ({ PartNumber: index + 1, ETag: etag }))
  await bucket.call(`completing ${key}`, async (client) => {
    try {
      await client.send(
        new CompleteMultipartUploadCommand({
          Bucket: bucket.name,
          Key: key,
          UploadId: id,
          MultipartUpload: { Parts: parts },
        }),
      )
    } catch (error) {
      if (!isMissing(error) || (await head(bucket, key, undefined)) === undefined) throw error
    }
  })
}

interface Sent {
  readonly upload: OpenUpload
  readonly md5s: readonly string[]
  readonly etags: readonly string[]
}

async function prove(
  bucket: Bucket,
  { file, bytes }: Artifact,
  { upload, md5s, etags }: Sent,
): Promise<UploadedObject | { readonly problem: string }> {
  const { key, size } = upload
  const found = await head(bucket, key, undefined)
  if (found === undefined) return { problem: `${key} is not there after its upload` }
  if (found.bytes !== bytes) return { problem: `${key} has ${found.bytes} bytes instead of ${bytes}` }
  const same = found.etag === compositeEtag(md5s) && etags.every((etag, index) => bareEtag(etag) === md5s[index])
  // With keys of its own (KMS) a store's ETags say nothing of the bytes; then the enforced MD5s and the length remain.
  if (!same && !found.opaque) return { problem: `${key} has the ETag ${found.etag} instead of ${compositeEtag(md5s)}` }
  const version = found.versionId === undefined ? {} : { versionId: found.versionId }
  const object = { file, key, etag: found.etag, partBytes: size, ...version }
  return { object, tier: same ? "etag" : "parts-only", kept: found.kept }
}

export interface ObjectHead {
  readonly bytes: number
  readonly etag: string
  readonly versionId: string | undefined
  /** The ETag is not made from the bytes. */
  readonly opaque: boolean
  readonly kept: KeptAs
}

/** What S3 says of an object; undefined when there is none. */
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
      if (isMissing(error)) return undefined
      throw error
    }
  })
}

/** What was sent so far must not stay and be paid for. The reason for giving up is what the caller has to hear. */
export async function abort(bucket: Bucket, { key, id }: OpenUpload, reason?: unknown): Promise<void> {
  try {
    await bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id }))
  } catch (error) {
    if (isMissing(error)) return
    if (reason instanceof Error) reason.message += ` (and the upload of ${key} could not be taken back)`
  }
}
