import { failure, messageOf } from "../core/errors.ts"
import type { Artifact, Manifest } from "../core/manifest.ts"
import { artifactsOf } from "../core/manifest-contents.ts"
import type { Work } from "../host/work.ts"
import { change } from "../shell/command.ts"
import type { PutReport } from "./backup-store.ts"
import { artifactFiles } from "./manifest-file.ts"
import type { BegunUpload, S3Context } from "./s3-context.ts"
import { encryptArtifact, encryptedFile, removeEncrypted } from "./s3-encryption.ts"
import { lockFrom, lockObject, type ObjectLock } from "./s3-lock.ts"
import { readBack } from "./s3-read-back.ts"
import { takeBack } from "./s3-remove.ts"
import { hostSender } from "./s3-send.ts"
import { runnerSender } from "./s3-send-through-runner.ts"
import { keptOtherwise } from "./s3-storage-options.ts"
import { type PartSender, type SentBytes, type UploadedObject, uploadObject } from "./s3-upload.ts"

/**
 * Stores a backup's files, encrypted if that is asked, locked if that is asked, and proves each by the tier that the report
 * names. Goes on with what went up while the files were being written.
 */
export async function putArtifacts(
  context: S3Context,
  manifest: Pick<Manifest, "id" | "services">,
  work: Work,
): Promise<PutReport> {
  const { bucket, options, transfer } = context
  const artifacts = artifactsOf(manifest)
  const bytes = artifacts.reduce((sum, one) => sum + one.bytes, 0)
  if (work.dryRun) {
    await work.step(
      "upload-s3-1",
      change`: send ${artifactFiles(manifest)} to ${`s3://${bucket.name}/${options.prefix}`}`,
    )
    return { bytes, tier: "etag", objects: [] }
  }
  const send = (await transfer()) === "host" ? hostSender(context, work) : runnerSender(context, work)
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
    backup: id,
    key: `${options.prefix}${artifact.file}${encrypts ? ".gpg" : ""}`,
    send,
    lock,
    begun: begun?.done ? undefined : begun && { upload: begun.upload, sent: sentBy(begun) },
    storage: options.storage,
  }
  const { object, tier, kept } =
    (await doneMeanwhile(context, sent, begun)) ?? (await uploadObject(bucket, sent, target))
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
  if (found?.upload.backup !== id) return undefined
  begun.delete(file)
  return found
}

function sentBy({ md5s, whole }: BegunUpload): SentBytes {
  return { md5s, sha256: whole?.sha256 }
}

/** The object that was made while the file was being proven, if it is of the very bytes that were. One of others is removed. */
async function doneMeanwhile(
  { bucket, log }: S3Context,
  { bytes, sha256 }: Artifact,
  begun: BegunUpload | undefined,
): Promise<UploadedObject | undefined> {
  if (begun?.done === undefined) return undefined
  if (begun.whole?.bytes === bytes && begun.whole.sha256 === sha256) return begun.done
  const { object } = begun.done
  // It is noted on the host: what cannot be removed now goes later, and the right bytes get another key.
  const why = await takeBack(bucket, object).catch(messageOf)
  if (why !== undefined) log(`${object.key} stays in S3, ${why}: it is not what was proven`)
  return undefined
}

/** The copy that was encrypted while the file was being written, if it is of the very bytes that were proven. */
function encryptedMeanwhile(artifact: Artifact, begun: BegunUpload | undefined): Artifact | undefined {
  if (begun?.encrypted?.of !== artifact.sha256) return undefined
  const { bytes, sha256 } = begun.encrypted
  return { ...artifact, file: encryptedFile(artifact.file), bytes, sha256 }
}
