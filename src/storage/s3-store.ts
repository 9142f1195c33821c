import { AbortMultipartUploadCommand, CreateMultipartUploadCommand } from "@aws-sdk/client-s3"
import { AppError, failure, inputError, refusal } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import { artifactsOf } from "../core/manifest-contents.ts"
import type { Work } from "../host/work.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import type { BackupStore } from "./backup-store.ts"
import { artifactFiles, manifestFolder, sortManifests } from "./manifest-file.ts"
import { type Bucket, openBucket } from "./s3-client.ts"
import type { S3Context, S3StoreOptions } from "./s3-context.ts"
import { readDrills, recordDrill } from "./s3-drills.ts"
import { removeEncrypted, requireEncryption, requireKey } from "./s3-encryption.ts"
import { fetchMoved, fetchObject } from "./s3-fetch.ts"
import { follow } from "./s3-follow.ts"
import { abortStale, listKeys, readManifests } from "./s3-list.ts"
import { requireLockable } from "./s3-lock.ts"
import { putManifest } from "./s3-manifest.ts"
import { abortUpload } from "./s3-multipart.ts"
import { notedUploads } from "./s3-notes.ts"
import { presignGet } from "./s3-presign.ts"
import { putArtifacts } from "./s3-put.ts"
import { removeBackup, takeBack } from "./s3-remove.ts"
import { storageHeaders } from "./s3-storage-options.ts"
import { endUpload, keysBelow, namedInS3, removeKeys } from "./s3-strays.ts"
import { lackingObjects, locateObjects, verifyObjects } from "./s3-verify.ts"

/** Backups in S3 or a store like it. The credentials stay here; the host gets URLs for single parts and objects. */
export function s3Store(options: S3StoreOptions): BackupStore {
  const bucket = openBucket(options)
  const { prefix, project, environment, patience = { tries: 5, stall: 30 }, log = () => {} } = options
  let mode: Promise<"host" | "runner"> | undefined
  const transfer = () => {
    mode ??= chooseTransfer(bucket, options, log)
    return mode
  }
  const context: S3Context = {
    bucket,
    options,
    patience,
    log,
    transfer,
    written: new Map(),
    begun: new Map(),
    published: new Set(),
  }
  return {
    name: "s3",
    probe: () => probe(context),
    async prepare(work) {
      if (!work.dryRun) await abortStale(bucket, { prefix, now: Date.now(), log })
    },
    discard: (manifest, work) => discard(context, manifest, work),
    follow: (growing, work, running) => follow(context, growing, { work, running }),
    putArtifacts: (manifest, work) => putArtifacts(context, manifest, work),
    putManifest: (manifest, work) => putManifest(context, manifest, work),
    async list() {
      const { manifests, unreadable } = sortManifests(await readManifests(context), { project, environment })
      return { backups: manifests.map((manifest) => ({ manifest, store: "s3" })), unreadable }
    },
    async fetch(manifest, work, directory = options.directory) {
      const objects = objectsOf(manifest, prefix)
      if (objects.some(({ encrypted }) => encrypted)) requireKey(options.encryption)
      // A right file on the host spares the way, but is no word about the copy here.
      const located = work.dryRun ? objects : await locateObjects(context, manifest, objects)
      const there: S3Context = { ...context, options: { ...options, directory } }
      for (const [index, artifact] of artifactsOf(manifest).entries()) {
        const object = located.find((one) => one.file === artifact.file)
        if (object === undefined)
          throw failure("s3-object", `${manifest.id} names no object in S3 for ${artifact.file}`)
        const isStored = objects.some(({ key, etag }) => key === object.key && etag === object.etag)
        const fetch = isStored ? fetchObject : fetchMoved
        await fetch(there, { artifact, object, work, step: `fetch-s3-${index + 1}` })
      }
    },
    verify: async (manifest) => verifyObjects(bucket, manifest, objectsOf(manifest, prefix)),
    lacking: (manifests) => lackingObjects(context, manifests),
    named: () => namedInS3(context),
    below: (stems) => keysBelow(context, stems),
    uploads: {
      noted: () => notedUploads(context),
      end: (upload) => endUpload(context, upload),
    },
    removeStrays: (files) => removeKeys(context, files),
    remove: async (manifest, work) => removeBackup(context, manifest, { work, objects: objectsOf(manifest, prefix) }),
    recordDrill: (record, work) => recordDrill(context, record, work),
    drills: (known) => readDrills(context, known),
  }
}

async function probe(context: S3Context): Promise<void> {
  const { bucket, options } = context
  if (options.immutable) await requireLockable(bucket)
  if (options.encryption?.publicKey) await requireEncryption(context, options.encryption.publicKey)
  await listKeys(bucket, `${options.prefix}${manifestFolder}/backup-`)
  await probeWriting(context)
}

/** Beginning an upload needs the right to write and, taken back at once, leaves nothing. */
async function probeWriting({ bucket, options: { prefix, storage } }: S3Context): Promise<void> {
  const key = `${prefix}${manifestFolder}/probe`
  const headers = storageHeaders(storage)
  try {
    await bucket.call("testing the right to write", async (client) => {
      const begin = new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key, ...headers })
      const { UploadId } = await client.send(begin)
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId }))
    })
  } catch (error) {
    // Every store calls a refused header something else: what is known is that it refused with it.
    const asked = Object.values(headers).join(", ")
    if (asked === "" || !(error instanceof AppError) || error.code !== "s3-failed") throw error
    throw inputError("s3-storage", `S3 does not take ${asked}: ${error.message}`, {
      hint: "Check server-side-encryption, kms-key-id and storage-class of backup.s3 against what the store has.",
      cause: error,
    })
  }
}

/** A backup of which this run has begun to publish the manifest may be one already: it stays. */
async function discard(context: S3Context, { id }: Pick<Manifest, "id">, work: Work): Promise<void> {
  const { bucket, options, written, begun, published } = context
  if (work.dryRun) return
  const objects = [...(written.get(id) ?? [])]
  for (const [file, { upload, number, done }] of begun) {
    if (upload.backup !== id) continue
    begun.delete(file)
    if (done) objects.push(done.object)
    else await abortUpload(bucket, upload)
    if (options.encryption?.publicKey)
      await removeEncrypted(context, { artifact: { file }, work, step: `discard-encrypted-${number}` })
  }
  if (published.has(id))
    throw failure("published", `the manifest of ${id} was sent to S3: this backup may be published and stays`)
  const stay: string[] = []
  for (const one of objects) {
    const why = await takeBack(bucket, one)
    if (why !== undefined) stay.push(`${one.key} is ${why}`)
  }
  if (stay.length > 0) throw refusal("s3-locked", stay.join("; "))
}

async function chooseTransfer(
  bucket: Bucket,
  { transfer = "auto", host, prefix }: S3StoreOptions,
  log: (line: string) => void,
): Promise<"host" | "runner"> {
  if (transfer !== "auto") return transfer
  const { origin } = new URL(await presignGet(bucket, { key: `${prefix}probe`, versionId: undefined }))
  const { stdout } = await host.run(script("read", remoteScript("s3-reach"), [origin]))
  const answer = stdout.trim()
  if (answer === "ok") return "host"
  log(`backups go to S3 through the runner: on ${host.name} ${answer}`)
  return "runner"
}

/** The objects that a manifest names. Throws when one lies elsewhere: such a manifest is not ours. */
function objectsOf(manifest: Manifest, prefix: string): Manifest["storage"]["objects"] {
  artifactFiles(manifest)
  const { objects } = manifest.storage
  const foreign = objects.find(
    ({ key }) => !/^[a-z]+\/[^/]+$/.test(key.slice(prefix.length)) || !key.startsWith(prefix),
  )
  if (foreign === undefined) return objects
  throw inputError(
    "manifest-path",
    `the manifest of ${manifest.id} names an object outside of ${prefix}: ${foreign.key}`,
  )
}
