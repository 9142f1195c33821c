import {
  AbortMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type MultipartUpload,
} from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import { manifestFolder, type NamedText, namedText } from "./manifest-file.ts"
import type { Bucket } from "./s3-client.ts"
import type { S3Context } from "./s3-context.ts"
import { statusOf } from "./s3-error.ts"
import type { ObjectVersion } from "./s3-lock.ts"
import { listVersions } from "./s3-versions.ts"

/** The keys that begin with `prefix`. */
export async function listKeys(bucket: Bucket, prefix: string): Promise<readonly string[]> {
  return [...(await listSizes(bucket, prefix)).keys()]
}

/**
 * The keys that begin with `prefix`, with the bytes of each. An empty answer with code 200 reads like "nothing there": a page counts only when it
 * names the bucket and says whether it is the last.
 */
export async function listSizes(bucket: Bucket, prefix: string): Promise<ReadonlyMap<string, number | undefined>> {
  const sizes = new Map<string, number | undefined>()
  let token: string | undefined
  do {
    const page = await bucket.call("listing the backups", (client) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket.name,
          Prefix: prefix,
          ...(token !== undefined && { ContinuationToken: token }),
        }),
      ),
    )
    if (page.Name === undefined || typeof page.IsTruncated !== "boolean") {
      throw failure("s3-list", `S3's list of bucket ${bucket.name} is not whole: it names no bucket or no end`)
    }
    for (const { Key: key, Size: bytes } of page.Contents ?? []) if (key !== undefined) sizes.set(key, bytes)
    token = page.IsTruncated ? page.NextContinuationToken : undefined
    if (page.IsTruncated && token === undefined)
      throw failure("s3-list", "S3's list has more pages but does not say where")
  } while (token !== undefined)
  return sizes
}

/**
 * The texts of all manifests. In a locked bucket it is the first version that counts, the locked one: what was put over it
 * or hides it later came from somebody else.
 */
export async function readManifests({ bucket, options, log }: S3Context): Promise<readonly NamedText[]> {
  const prefix = `${options.prefix}${manifestFolder}/backup-`
  const places: ObjectVersion[] = []
  if (options.immutable) {
    for (const { key, versions, markers } of await listVersions(bucket, prefix)) {
      const [versionId] = versions
      if (versionId === undefined) continue
      if (versions.length + markers.length > 1)
        log(
          `${key} was ${markers.length > 0 ? "deleted" : "written over"} in S3 after it was stored; its first version is used`,
        )
      places.push({ key, versionId })
    }
  } else places.push(...(await listKeys(bucket, prefix)).map((key) => ({ key })))
  const manifests = places.filter(({ key }) => key.endsWith(".json"))
  const texts: NamedText[] = []
  for (let at = 0; at < manifests.length; at += 4) {
    const some = manifests.slice(at, at + 4)
    texts.push(
      ...(await Promise.all(
        some.map(async ({ key, versionId }) => namedText(key, await readBytes(bucket, key, versionId))),
      )),
    )
  }
  return texts
}

/** The text of a small object. Throws when it is not all there. */
export async function readText(bucket: Bucket, key: string, versionId?: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(bucket, key, versionId))
}

async function readBytes(bucket: Bucket, key: string, versionId?: string): Promise<Uint8Array> {
  const version = versionId === undefined ? {} : { VersionId: versionId }
  return await bucket.call(`reading ${key}`, async (client) => {
    const { Body, ContentLength } = await client.send(
      new GetObjectCommand({ Bucket: bucket.name, Key: key, ...version }),
    )
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array()
    if (ContentLength !== undefined && bytes.length !== ContentLength) {
      throw failure("s3-cut", `${key} came with ${bytes.length} bytes instead of ${ContentLength}`)
    }
    return bytes
  })
}

/** Milliseconds: an upload by somebody else that is younger may still be going on. */
const staleAge = 7 * 86_400_000

/**
 * Takes back uploads below `prefix` that began more than a week ago and never ended: their parts are stored and paid for,
 * and no list shows them. Says what it did; S3 keys without the right to do it lose nothing but that.
 */
export async function abortStale(
  bucket: Bucket,
  { prefix, now, log }: { readonly prefix: string; readonly now: number; readonly log: (line: string) => void },
): Promise<void> {
  try {
    for await (const { Key: key, UploadId: id, Initiated: began } of listUploads(bucket)) {
      const ours =
        key !== undefined && /^(postgres|dragonfly|metadata)\//.test(key.slice(prefix.length)) && key.startsWith(prefix)
      if (!ours || id === undefined || began === undefined || now - began.getTime() < staleAge) continue
      await bucket.client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id }))
      log(`took back the unfinished upload of ${key} of ${began.toISOString()}`)
    }
  } catch (error) {
    log(`unfinished uploads in S3 could not be looked for: ${error instanceof Error ? error.name : error}`)
  }
}

/** All of the bucket, page by page: some stores take only a whole key for a prefix. */
async function* listUploads({ client, name }: Bucket): AsyncGenerator<MultipartUpload> {
  const list = (from: UploadPlace) => client.send(new ListMultipartUploadsCommand({ Bucket: name, ...from }))
  for (let from: UploadPlace = {}; ; ) {
    const { KeyMarker, UploadIdMarker } = from
    const page = await list(from).catch((error: unknown) => {
      // Some stores know the marker no more that they gave: what else has its key comes another time.
      if (UploadIdMarker === undefined || statusOf(error) !== 400) throw error
      return list({ KeyMarker })
    })
    yield* page.Uploads ?? []
    // A page that says there are more, and not from where, would come again for ever.
    if (!page.IsTruncated || !page.NextKeyMarker) return
    from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
  }
}

interface UploadPlace {
  readonly KeyMarker?: string | undefined
  readonly UploadIdMarker?: string | undefined
}
