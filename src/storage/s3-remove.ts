import type { Manifest } from "../core/manifest.ts"
import type { Work } from "../host/work.ts"
import { change } from "../shell/command.ts"
import { manifestFile } from "./manifest-file.ts"
import type { Bucket } from "./s3-client.ts"
import type { S3Context } from "./s3-context.ts"
import { assertUnlocked, type ObjectVersion, whyLocked } from "./s3-lock.ts"
import { head } from "./s3-multipart.ts"
import { headOf } from "./s3-verify.ts"
import { deleteObject, deleteVersions, listVersions } from "./s3-versions.ts"

/**
 * Removes a backup: its manifest first, then its objects, each by version where there are versions, for a deletion by
 * name keeps the bytes. Throws a refusal `s3-locked` before anything when the store does not let go of a part of it.
 */
export async function removeBackup(
  { bucket, options }: S3Context,
  manifest: Manifest,
  { work, objects }: { readonly work: Work; readonly objects: readonly ObjectVersion[] },
): Promise<void> {
  const key = options.prefix + manifestFile(manifest.id)
  if (work.dryRun) {
    await work.step(`remove-s3-${manifest.id}`, change`: remove ${`s3://${bucket.name}/${key}`} and its objects`)
    return
  }
  const found = await head(bucket, key, undefined)
  const locked = options.immutable !== undefined || manifest.storage.lockedUntil !== undefined
  const versions = locked
    ? ((await listVersions(bucket, key)).find((one) => one.key === key)?.versions ?? [])
    : [found?.versionId]
  const there = (await Promise.all(objects.map((one) => versionThere(bucket, one)))).flat()
  const all = [...versions.map((versionId) => ({ key, versionId })), ...there]
  // Without versions there are no locks.
  const versioned = all.filter(({ versionId }) => versionId !== undefined)
  await assertUnlocked(bucket, versioned, { id: manifest.id, now: Date.now() })
  if (locked) await deleteVersions(bucket, key)
  else await deleteObject(bucket, { key, versionId: found?.versionId })
  await deleteObjects(bucket, there)
}

/** In a bucket that was moved the same object is another version. Of one that is gone there is none to remove. */
async function versionThere(bucket: Bucket, { key, versionId }: ObjectVersion): Promise<readonly ObjectVersion[]> {
  if (versionId === undefined) return [{ key, versionId }]
  const found = await headOf(bucket, { key, versionId })
  return found ? [{ key, versionId: found.versionId }] : []
}

/**
 * Removes an object that this run has made, or says why a lock keeps it. Without versions whatever has another ETag under its
 * key is somebody else's by now, and stays.
 */
export async function takeBack(
  bucket: Bucket,
  { key, versionId, etag }: Manifest["storage"]["objects"][number],
): Promise<string | undefined> {
  if (versionId === undefined && (await head(bucket, key, undefined))?.etag !== etag) return undefined
  return deleteUnlocked(bucket, { key, versionId })
}

/** Removes one, or says why a lock keeps it: `locked until ...`. */
export async function deleteUnlocked(bucket: Bucket, target: ObjectVersion): Promise<string | undefined> {
  // Without versions there are no locks.
  const why = target.versionId === undefined ? undefined : await whyLocked(bucket, target, Date.now())
  if (why === undefined) await deleteObject(bucket, target)
  return why
}

/** One by one, in order: requests for many at once fail on stores other than AWS. */
export async function deleteObjects(bucket: Bucket, targets: readonly ObjectVersion[]): Promise<void> {
  for (const target of targets) await deleteObject(bucket, target)
}
