import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3"
import type { Named } from "./backup-store.ts"
import { namedBy } from "./manifest-file.ts"
import type { S3Context } from "./s3-context.ts"
import { isMissing } from "./s3-error.ts"
import { listKeys, readManifests } from "./s3-list.ts"
import { deleteObjects } from "./s3-remove.ts"
import { head } from "./s3-upload.ts"

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

/** Removes objects by their version, where there are versions: a deletion by name keeps the bytes. */
export async function removeKeys({ bucket, options }: S3Context, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const key = options.prefix + file
    const found = await head(bucket, key, undefined)
    if (found) await deleteObjects(bucket, [{ key, versionId: found.versionId }])
  }
}

/** Takes unfinished uploads below the stems back, and gives their paths. Whoever still sends to one then fails: it can be done at once. */
export async function endUploads({ bucket, options }: S3Context, stems: readonly string[]): Promise<readonly string[]> {
  const { Uploads: uploads = [] } = await bucket.call("listing unfinished uploads", (client) =>
    // Without a prefix: some stores take only a whole key for one.
    client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name })),
  )
  const ended: string[] = []
  for (const { Key: key = "", UploadId: id } of uploads) {
    if (id === undefined || !stems.some((stem) => key.startsWith(options.prefix + stem))) continue
    await bucket.call(`taking back the upload of ${key}`, async (client) => {
      try {
        await client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id }))
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    })
    ended.push(key.slice(options.prefix.length))
  }
  return ended
}
