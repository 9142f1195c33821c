import { failure } from "../core/errors.ts"
import type { Artifact, Manifest } from "../core/manifest.ts"
import type { Work } from "../host/work.ts"
import { change } from "../shell/command.ts"
import type { PutReport } from "./backup-store.ts"
import { artifactFiles } from "./manifest-file.ts"
import type { S3Context } from "./s3-context.ts"
import { encryptArtifact, encryptedFile, removeEncrypted } from "./s3-encryption.ts"
import { lockFrom, lockObject, type ObjectLock } from "./s3-lock.ts"
import { readBack } from "./s3-read-back.ts"
import { hostSender, runnerSender } from "./s3-send.ts"
import { keptOtherwise } from "./s3-storage-options.ts"
import { type BegunUpload, type PartSender, type UploadedObject, uploadObject } from "./s3-upload.ts"

/**
 * Stores a backup's files, encrypted if that is asked, locked if that is asked, and proves each by the tier that the report
 * names. Goes on with what went up while the files were being written.
 */
export async function putArtifacts(
  context: S3Context,
  manifest: Pick<Manifest, "id" | "services">,
  work: Work,
): Promise<PutReport> {
  const { bucket, options, patience, transfer } = context
  const { prefix, host, directory } = options
  const artifacts = manifest.services.flatMap((one) => one.artifacts)
  const bytes = artifacts.reduce((sum, one) => sum + one.bytes, 0)
  if (work.dryRun) {
    await work.step("upload-s3-1", change`: send ${artifactFiles(manifest)} to ${`s3://${bucket.name}/${prefix}`}`)
    return { bytes, tier: "etag", objects: [] }
  }
  const sender = { work, host, directory, patience }
  const send = (await transfer()) === "host" ? hostSender(bucket, sender) : runnerSender(bucket, sender)
  const lock = options.immutable && lockFrom(Date.now(), options.immutable)
  const objects: PutReport["objects"] = []
  const tiers = new Set<PutReport["tier"]>()
  for (const [index, artifact] of artifacts.entries()) {
    const putting = { id: manifest.id, artifact, work, number: index + 1, send, lock }
    const tier = await putArtifact(context, putting, (object) => {
      objects.push(object)
      context.written.set(manifest.id, [...objects])
    })
    tiers.add(tier)
  }
  const tier = options.readBack ? "read-back" : tiers.has("parts-only") ? "parts-only" : "etag"
  return { bytes, tier, objects, ...(lock && { lockedUntil: lock.until.toISOString() }) }
}

interface Putting {
  readonly id: string
  readonly artifact: Artifact
  readonly work: Work
  /** From 1: part of the steps' names. */
  readonly number: number
  readonly send: PartSender
  readonly lock: ObjectLock | undefined
}

/** One file; `note` hears of its object as soon as it is there, for from then on it may have to be taken back. */
async function putArtifact(
  context: S3Context,
  { id, artifact, work, number, send, lock }: Putting,
  note: (object: PutReport["objects"][number]) => void,
): Promise<UploadedObject["tier"]> {
  const { bucket, options } = context
  const begun = takeBegun(context, id, artifact)
  const encrypts = options.encryption?.publicKey
  const encrypting = { artifact, work, step: `encrypt-s3-${number}` }
  const sent = encrypts
    ? (encryptedMeanwhile(artifact, begun) ?? (await encryptArtifact(context, encrypting, encrypts)))
    : artifact
  const target = {
    key: `${options.prefix}${artifact.file}${encrypts ? ".gpg" : ""}`,
    send,
    lock,
    begun,
    storage: options.storage,
  }
  const { object, tier, kept } = await uploadObject(bucket, sent, target)
  const encrypted = encrypts ? { encrypted: { bytes: sent.bytes, sha256: sent.sha256 } } : {}
  note({ ...object, file: artifact.file, ...encrypted })
  const otherwise = keptOtherwise(options.storage, kept)
  if (otherwise !== undefined)
    throw failure("s3-storage", `${object.key} ${otherwise}`, {
      hint: "Leave backup.s3.server-side-encryption and storage-class to what the store can do, or set them as the bucket's defaults.",
    })
  if (lock) await lockObject(bucket, object, lock)
  if (options.readBack) await readBack(context, { artifact: sent, object, work, step: `read-back-s3-${number}` })
  if (encrypts) await removeEncrypted(context, { ...encrypting, step: `clean-encrypted-${number}` })
  return tier
}

/** Once taken it is the upload's own to end: completed, or taken back. */
function takeBegun({ begun }: S3Context, id: string, { file }: Artifact): BegunUpload | undefined {
  const found = begun.get(file)
  if (found?.backup !== id) return undefined
  begun.delete(file)
  return found
}

/** The copy that was encrypted while the file was being written, if it is of the very bytes that were proven. */
function encryptedMeanwhile(artifact: Artifact, begun: BegunUpload | undefined): Artifact | undefined {
  if (begun?.encrypted?.of !== artifact.sha256) return undefined
  const { bytes, sha256 } = begun.encrypted
  return { ...artifact, file: encryptedFile(artifact.file), bytes, sha256 }
}
