import { failure } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import type { PutReport } from "./backup-store.ts"
import type { Bucket } from "./s3-client.ts"
import type { ObjectLock } from "./s3-lock.ts"
import { abort, beginUpload, complete, head, listedParts, type OpenUpload } from "./s3-multipart.ts"
import { bareEtag, compositeEtag, mostParts, type Part, planParts } from "./s3-parts.ts"
import type { KeptAs, StorageOptions } from "./s3-storage-options.ts"

/** What of a file has gone up. */
export interface SentBytes {
  /** MD5s, hexadecimal, of the parts that S3 has taken, by number. */
  readonly md5s: ReadonlyMap<number, string>
  /** SHA-256 of the very bytes that the MD5s are of, where all went up in one go. */
  readonly sha256?: string | undefined
}

export interface SendOptions {
  readonly parts: readonly Part[]
  readonly artifact: Artifact
  /** What went up while the file was being written; it is believed only when the file's own bytes are the same. */
  readonly sent: SentBytes | undefined
}

/** Sends parts and gives the MD5s of all, hexadecimal, in the same order; throws when one cannot be sent. */
export type PartSender = (upload: OpenUpload, options: SendOptions) => Promise<readonly string[]>

interface UploadTarget {
  /** The id of the backup. */
  readonly backup: string
  readonly key: string
  readonly send: PartSender
  readonly lock?: ObjectLock | undefined
  readonly storage?: StorageOptions | undefined
  /** Goes on with this upload, if it is under `key`. */
  readonly begun?: { readonly upload: OpenUpload; readonly sent: SentBytes } | undefined
}

export interface UploadedObject {
  readonly object: PutReport["objects"][number]
  readonly tier: "etag" | "parts-only"
  readonly kept: KeptAs
}

/**
 * Brings one file into S3 under a key that nothing else has, in equal parts, and proves it: every part was accepted only
 * with its MD5, the bytes that were sent have the file's SHA-256, S3's list of parts has these MD5s and lengths, and the
 * object's length and ETag are as computed. When the object differs the next try takes another key: on a locked or
 * versioned store a bad object cannot be taken back.
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
    const md5s = await send(upload, { parts, artifact, sent: fits ? begun.sent : undefined })
    const result = await completeUpload(bucket, artifact, { upload, md5s })
    if ("problem" in result) await abort(bucket, upload)
    return result
  } catch (error) {
    await abort(bucket, upload, error)
    throw error
  }
}

/**
 * Makes the object of its parts, all of which S3 has taken with these MD5s, and proves it; or says why it is not right. The
 * key may have been taken while they were sent, by a backup of another environment begun in the same second.
 */
export async function completeUpload(
  bucket: Bucket,
  { file, bytes }: Pick<Artifact, "file" | "bytes">,
  { upload, md5s }: { readonly upload: OpenUpload; readonly md5s: readonly string[] },
): Promise<UploadedObject | { readonly problem: string }> {
  const { key, size } = upload
  const etags = await listedParts(bucket, upload, planParts(bytes, size))
  if ((await head(bucket, key, undefined)) !== undefined) return { problem: `${key} is there by now` }
  const made = await complete(bucket, upload, etags)
  const found = await head(bucket, key, undefined)
  if (found === undefined) return { problem: `${key} is not there after its upload` }
  if (found.bytes !== bytes) return { problem: `${key} has ${found.bytes} bytes instead of ${bytes}` }
  const same = found.etag === compositeEtag(md5s) && etags.every((etag, index) => bareEtag(etag) === md5s[index])
  // With keys of its own (KMS) a store's ETags say nothing of the bytes; then the enforced MD5s and the length remain.
  if (!same && !(found.opaque && made))
    return { problem: `${key} has the ETag ${found.etag} instead of ${compositeEtag(md5s)}` }
  const version = found.versionId === undefined ? {} : { versionId: found.versionId }
  const object = { file, key, etag: found.etag, partBytes: size, ...version }
  return { object, tier: same ? "etag" : "parts-only", kept: found.kept }
}
