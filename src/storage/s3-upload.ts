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
import { bareEtag, compositeEtag, type Part, partSize, planParts } from "./s3-parts.ts"

/** An upload that S3 has given an id. */
export interface OpenUpload {
  readonly key: string
  readonly id: string
  readonly size: number
}

/** Sends parts and gives their MD5s, hexadecimal, in the same order; throws when one cannot be sent. */
export type PartSender = (upload: OpenUpload, parts: readonly Part[], artifact: Artifact) => Promise<readonly string[]>

interface UploadTarget {
  readonly key: string
  readonly send: PartSender
  readonly lock?: ObjectLock | undefined
}

export interface UploadedObject {
  readonly object: PutReport["objects"][number]
  readonly tier: "etag" | "parts-only"
}

/**
 * Brings one file into S3 under a key that nothing has yet, in equal parts, and proves it: every part was accepted only
 * with its MD5, S3's list of parts has these MD5s and lengths, and the object's length and ETag are as computed. When the
 * object differs the next try takes another key: on a locked or versioned store a bad object cannot be taken back.
 */
export async function uploadObject(
  bucket: Bucket,
  artifact: Artifact,
  { key, send, lock }: UploadTarget,
): Promise<UploadedObject> {
  const problems: string[] = []
  for (const candidate of [key, `${key}.r2`, `${key}.r3`]) {
    if ((await head(bucket, candidate, undefined)) !== undefined) {
      problems.push(`${candidate} is already there`)
      continue
    }
    const result = await uploadOnce(bucket, artifact, { key: candidate, send, lock })
    if ("object" in result) return result
    problems.push(result.problem)
  }
  throw failure("s3-differs", `S3 does not hold ${artifact.file} as it is on the host: ${problems.join("; ")}`)
}

async function uploadOnce(
  bucket: Bucket,
  artifact: Artifact,
  { key, send, lock }: UploadTarget,
): Promise<UploadedObject | { readonly problem: string }> {
  const { UploadId: id } = await bucket.call(`beginning the upload of ${key}`, (client) =>
    client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key, ...lockHeaders(lock) })),
  )
  if (!id) throw failure("s3-failed", `S3 gave no id for the upload of ${key}`)
  const size = partSize(artifact.bytes)
  const upload = { key, id, size }
  const parts = planParts(artifact.bytes, size)
  try {
    const md5s = await send(upload, parts, artifact)
    const etags = await listedParts(bucket, upload, parts)
    await complete(bucket, upload, etags)
    return await prove(bucket, artifact, { upload, md5s, etags })
  } catch (error) {
    await abort(bucket, upload, error)
    throw error
  }
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
  return { object: { file, key, etag: found.etag, partBytes: size, ...version }, tier: same ? "etag" : "parts-only" }
}

export interface ObjectHead {
  readonly bytes: number
  readonly etag: string
  readonly versionId: string | undefined
  /** The ETag is not made from the bytes. */
  readonly opaque: boolean
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
        opaque: found.ServerSideEncryption?.startsWith("aws:kms") === true || found.SSECustomerAlgorithm !== undefined,
      }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })
}

/** What was sent so far must not stay and be paid for. The reason for giving up is what the caller has to hear. */
async function abort(bucket: Bucket, { key, id }: OpenUpload, reason: unknown): Promise<void> {
  try {
    await bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id }))
  } catch (error) {
    if (isMissing(error)) return
    if (reason instanceof Error) reason.message += ` (and the upload of ${key} could not be taken back)`
  }
}
