import { failure } from "../core/errors.ts"
import type { Artifact, Manifest } from "../core/manifest.ts"
import { artifactsOf } from "../core/manifest-contents.ts"
import type { Bucket } from "./s3-client.ts"
import type { S3Context } from "./s3-context.ts"
import { listSizes } from "./s3-list.ts"
import type { ObjectVersion } from "./s3-lock.ts"
import { head, type ObjectHead } from "./s3-multipart.ts"

type StoredObject = Manifest["storage"]["objects"][number]

/** How the objects differ from what the manifest says of them, one line each. */
export async function verifyObjects(
  bucket: Bucket,
  manifest: Manifest,
  objects: readonly StoredObject[],
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const artifact of artifactsOf(manifest)) {
    const object = objects.find((one) => one.file === artifact.file)
    const found = object && (await head(bucket, object.key, object.versionId))
    const problem = differs(artifact, object, found)
    if (problem !== undefined) wrong.push(problem)
    else if (object && found?.etag !== object.etag)
      wrong.push(`${object.key} has other bytes (ETag ${found?.etag} instead of ${object.etag})`)
  }
  return wrong
}

/**
 * By backup, how its objects differ in number and length from what its manifest says. One list of each folder tells as a
 * rule; S3 is asked for an object itself only where that has it not, or otherwise: a deletion by name hides a version that
 * is still there.
 */
export async function lackingObjects(
  { bucket, options }: Pick<S3Context, "bucket" | "options">,
  manifests: readonly Manifest[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const folders = new Set(manifests.flatMap((one) => artifactsOf(one).map(({ file }) => file.split("/")[0])))
  const sizes = new Map<string, number | undefined>()
  for (const folder of folders)
    for (const [key, bytes] of await listSizes(bucket, `${options.prefix}${folder}/`)) sizes.set(key, bytes)
  const lacking = new Map<string, readonly string[]>()
  for (const manifest of manifests) {
    const problems: string[] = []
    for (const artifact of artifactsOf(manifest)) {
      const object = manifest.storage.objects.find((one) => one.file === artifact.file)
      if (object && sizes.get(object.key) === storedBytes(artifact, object)) continue
      const problem = differs(artifact, object, object && (await headOf(bucket, object)))
      if (problem !== undefined) problems.push(problem)
    }
    if (problems.length > 0) lacking.set(manifest.id, problems)
  }
  return lacking
}

/**
 * The objects as they can be read now. A bucket that was moved has other ETags and version ids for the same bytes: that is
 * told, and the SHA-256 of what comes decides. Throws `backup-corrupt` when one is missing or has another length.
 */
export async function locateObjects(
  { bucket, log }: Pick<S3Context, "bucket" | "log">,
  manifest: Manifest,
  objects: readonly StoredObject[],
): Promise<readonly StoredObject[]> {
  const wrong: string[] = []
  const located: StoredObject[] = []
  for (const artifact of artifactsOf(manifest)) {
    const object = objects.find((one) => one.file === artifact.file)
    const found = object && (await headOf(bucket, object))
    const problem = differs(artifact, object, found)
    if (problem !== undefined) wrong.push(problem)
    if (!object || !found) continue
    const { versionId: storedAs, ...rest } = object
    if (found.etag !== object.etag || (storedAs !== undefined && found.versionId !== storedAs))
      log(`${object.key} is not the object that was stored (was the bucket moved?): its SHA-256 decides`)
    const version = found.versionId === undefined ? {} : { versionId: found.versionId }
    located.push({ ...rest, ...version, etag: found.etag })
  }
  if (wrong.length === 0) return located
  throw failure("backup-corrupt", `the copy of ${manifest.id} in S3 is not what its manifest says: ${wrong.join("; ")}`)
}

/** The newest version where the stored one is not known. */
export async function headOf(bucket: Bucket, { key, versionId }: ObjectVersion): Promise<ObjectHead | undefined> {
  const stored = await head(bucket, key, versionId)
  return stored || versionId === undefined ? stored : head(bucket, key, undefined)
}

function storedBytes({ bytes }: Artifact, { encrypted }: StoredObject): number {
  return encrypted?.bytes ?? bytes
}

function differs(
  artifact: Artifact,
  object: StoredObject | undefined,
  found: ObjectHead | undefined,
): string | undefined {
  if (object === undefined) return `${artifact.file} is not in S3`
  if (found === undefined) return `${object.key} is missing`
  const stored = storedBytes(artifact, object)
  return found.bytes === stored ? undefined : `${object.key} has ${found.bytes} bytes instead of ${stored}`
}
