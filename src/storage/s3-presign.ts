import { GetObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3"
import { getSignedUrl } from "@aws-sdk/s3-request-presigner"
import type { Bucket } from "./s3-client.ts"
import { urlLife } from "./s3-session.ts"

/** URL for one part of an upload: it can do nothing but write that part, and needs no credentials on the host. */
export function presignPart(
  bucket: Bucket,
  { key, upload, part }: { readonly key: string; readonly upload: string; readonly part: number },
): Promise<string> {
  return presign(bucket, new UploadPartCommand({ Bucket: bucket.name, Key: key, UploadId: upload, PartNumber: part }))
}

/** URL for reading one object, of one version when that is known. */
export function presignGet(
  bucket: Bucket,
  { key, versionId }: { readonly key: string; readonly versionId: string | undefined },
): Promise<string> {
  const version = versionId === undefined ? {} : { VersionId: versionId }
  return presign(bucket, new GetObjectCommand({ Bucket: bucket.name, Key: key, ...version }))
}

// The client heals a wrong clock of its own in requests but not in URLs: what it learned is applied here.
async function presign({ client, sessionEnd }: Bucket, command: GetObjectCommand | UploadPartCommand): Promise<string> {
  const signingDate = new Date(Date.now() + client.config.systemClockOffset)
  return getSignedUrl(client, command as GetObjectCommand, { expiresIn: urlLife(sessionEnd, Date.now()), signingDate })
}
