import type { Named, NotedUpload, Uploads } from "./backup-store.ts"
import { namedBy } from "./manifest-file.ts"
import type { S3Context } from "./s3-context.ts"
import { listKeys, readManifests } from "./s3-list.ts"
import { abortUpload, head } from "./s3-multipart.ts"
import { deleteUnlocked } from "./s3-remove.ts"

/** What the manifests below the prefix name. */
export async function namedInS3(context: S3Context): Promise<Named> {
  return namedBy(await readManifests(context), context.options.prefix)
}

/** Paths of the objects that begin with one of the stems. */
export async function keysBelow({ bucket, options }: S3Context, stems: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const stem of stems) found.push(...(await listKeys(bucket, options.prefix + stem)))
  return found.map((key) => key.slice(options.prefix.length))
}

/** Removes objects by their version, where there are versions: a deletion by name keeps the bytes. Tells which a lock keeps. */
export async function removeKeys(
  { bucket, options }: S3Context,
  files: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const stay = new Map<string, string>()
  for (const file of files) {
    const key = options.prefix + file
    const found = await head(bucket, key, undefined)
    const why = found && (await deleteUnlocked(bucket, { key, versionId: found.versionId }))
    if (why !== undefined) stay.set(file, why)
  }
  return stay
}

/** By its id: a list by name is not to be had everywhere. Some stores say of an upload that is over that it was taken back. */
export async function endUpload({ bucket }: S3Context, { key, id }: NotedUpload): ReturnType<Uploads["end"]> {
  const ended = await abortUpload(bucket, { key, id })
  if ((await head(bucket, key, undefined)) !== undefined) return "object"
  return ended ? "ended" : "nothing"
}
