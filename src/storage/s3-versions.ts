import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import type { Bucket } from "./s3-client.ts"
import type { ObjectVersion } from "./s3-lock.ts"
import { head } from "./s3-multipart.ts"

/** A key of a bucket with versions: its first version is the one that was put, whatever came over it later. */
export interface VersionedKey {
  readonly key: string
  /** Oldest first; of the objects themselves. */
  readonly versions: readonly string[]
  /** Marks of a deletion, which hide the object and remove nothing. */
  readonly markers: readonly string[]
}

/** Where a page of the list begins. */
interface Place {
  readonly KeyMarker?: string
  readonly VersionIdMarker?: string
}

interface Seen {
  readonly id: string
  readonly time: number
  readonly marker: boolean
}

/** The keys that begin with `prefix`, those that were deleted by name too. Throws when the list is not whole. */
export async function listVersions(bucket: Bucket, prefix: string): Promise<readonly VersionedKey[]> {
  const keys = new Map<string, Seen[]>()
  let next: Place | undefined = {}
  while (next) {
    const from: Place = next
    const page: ListObjectVersionsCommandOutput = await bucket.call("listing the backups' versions", (client) =>
      client.send(new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: prefix, ...from })),
    )
    if (page.Name === undefined || typeof page.IsTruncated !== "boolean")
      throw failure(
        "s3-list",
        `S3's list of versions in bucket ${bucket.name} is not whole: it names no bucket or no end`,
      )
    const found = [
      ...(page.Versions ?? []).map((one) => ({ ...one, marker: false })),
      ...(page.DeleteMarkers ?? []).map((one) => ({ ...one, marker: true })),
    ]
    for (const { Key: key, VersionId: id, LastModified: time, marker } of found) {
      if (key === undefined || id === undefined || time === undefined)
        throw failure("s3-list", "S3's list of versions has one without key, id or time")
      keys.set(key, [...(keys.get(key) ?? []), { id, time: time.getTime(), marker }])
    }
    next = page.IsTruncated ? nextPage(page) : undefined
  }
  return [...keys].map(([key, seen]) => sorted(key, seen))
}

/** Every version and marker of one key. */
export async function deleteVersions(bucket: Bucket, key: string): Promise<void> {
  const found = (await listVersions(bucket, key)).find((one) => one.key === key)
  for (const versionId of found?.versions ?? []) await deleteObject(bucket, { key, versionId })
  for (const versionId of found?.markers ?? []) await deleteVersion(bucket, { key, versionId })
}

/** Removes one object, or one version of it, and looks whether it is gone: an answer alone is no proof. */
export async function deleteObject(bucket: Bucket, { key, versionId }: ObjectVersion): Promise<void> {
  await deleteVersion(bucket, { key, versionId })
  if ((await head(bucket, key, versionId)) !== undefined)
    throw failure("s3-not-removed", `S3 says that ${key} was removed, and still has it`)
}

/** What a deletion's mark was is not an object that could be looked at. */
async function deleteVersion(bucket: Bucket, { key, versionId }: ObjectVersion): Promise<void> {
  const version = versionId === undefined ? {} : { VersionId: versionId }
  await bucket.call(`removing ${key}`, (client) =>
    client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key, ...version })),
  )
}

/** Stores list the newest version of a key first: among equal times the later in the list is the older. */
function sorted(key: string, seen: readonly Seen[]): VersionedKey {
  const oldestFirst = seen.toReversed().sort((a, b) => a.time - b.time)
  const idsOf = (marker: boolean) => oldestFirst.filter((one) => one.marker === marker).map(({ id }) => id)
  return { key, versions: idsOf(false), markers: idsOf(true) }
}

function nextPage({ NextKeyMarker: key, NextVersionIdMarker: version }: ListObjectVersionsCommandOutput): Place {
  if (key === undefined) throw failure("s3-list", "S3's list of versions has more pages but does not say where")
  return { KeyMarker: key, ...(version !== undefined && { VersionIdMarker: version }) }
}
