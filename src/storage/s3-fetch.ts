import { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { GetObjectCommand } from "@aws-sdk/client-s3"
import { AppError, failure, messageOf } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import { type Progress, progressLines } from "../core/progress.ts"
import { HostError } from "../host/host.ts"
import { remoteScript } from "../remote/scripts.ts"
import { change, script } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { Bucket } from "./s3-client.ts"
import type { FetchOptions, S3Context } from "./s3-context.ts"
import { decryptArtifact, encryptedFile, requireKey } from "./s3-encryption.ts"
import { presignGet } from "./s3-presign.ts"
import { readBack } from "./s3-read-back.ts"
import { readingTime, wrongFiles } from "./stored-files.ts"

/** Ranges of one object that come at once. */
const lanes = 4

/**
 * Brings one object to the host, under its name only when length and SHA-256 are the manifest's. A damaged file that is
 * there already is moved aside, never overwritten.
 */
export async function fetchObject(context: S3Context, { artifact, object, work, step }: FetchOptions): Promise<void> {
  const { bucket, options, patience } = context
  const { file, bytes, sha256 } = artifact
  if (work.dryRun) {
    await work.step(step, change`: fetch ${`s3://${bucket.name}/${object.key}`} to ${`${options.directory}/${file}`}`)
    return
  }
  if (object.encrypted) return fetchEncrypted(context, { artifact, object, work, step })
  if ((await context.transfer()) === "runner") return fetchThroughRunner(context, { artifact, object, work, step })
  const args = [options.directory, file, bytes, sha256, object.etag, patience.tries, patience.stall, lanes]
  for (let calls = 1; ; calls++) {
    const url = await presignGet(bucket, { key: object.key, versionId: object.versionId })
    const name = calls === 1 ? step : `${step}-${calls}`
    const { stdout } = await work.step(name, script("change", remoteScript("s3-download"), args), {
      input: new Secret("presigned URL", `${url}\n`),
      timeout: 600_000 + bytes / 100,
      progress: fetchingProgress(bytes),
    })
    // It came to an end only because its URL did, after it had brought something.
    if (!/^renew$/m.test(stdout)) return
  }
}

/**
 * The same of an object that is not the one that was stored: it is read to its end also where the host has the right bytes
 * already, for those say nothing about it.
 */
export async function fetchMoved(context: S3Context, options: FetchOptions): Promise<void> {
  const { artifact, object } = options
  if (!(await isThere(context, artifact))) return fetchObject(context, options)
  await readBack(context, { ...options, artifact: { ...artifact, ...object.encrypted } })
}

/** How far `s3-download.sh` has come, by its own lines. */
export function fetchingProgress(total: number): Progress {
  let [from, came] = [0, 0]
  return {
    total,
    get from() {
      return from
    },
    read(line) {
      const [, what, bytes] = /^(from|range) (\d+)$/.exec(line) ?? []
      if (what === "from") from = Number(bytes)
      if (what !== "range") return undefined
      came += Number(bytes)
      return Math.min(total, from + came)
    },
  }
}

async function fetchEncrypted(context: S3Context, { artifact, object, work, step }: FetchOptions): Promise<void> {
  const { encrypted, ...plain } = object
  requireKey(context.options.encryption)
  if (await isThere(context, artifact)) return
  const coming = { ...artifact, ...encrypted, file: encryptedFile(artifact.file) }
  await fetchObject(context, { artifact: coming, object: plain, work, step })
  await decryptArtifact(context, { artifact, work, step: `${step}-decrypt` })
}

async function fetchThroughRunner(context: S3Context, { artifact, object, work, step }: FetchOptions): Promise<void> {
  if (await isThere(context, artifact)) return
  const { options } = context
  const { file, bytes, sha256 } = artifact
  const path = `${options.directory}/${file}`
  await work.step(`${step}-prepare`, change`umask 077; mkdir -p ${path.slice(0, path.lastIndexOf("/"))}`)
  await options.host.upload(Readable.from(wholeObject(context, object, bytes)), `${path}.partial`)
  await work.step(step, script("change", remoteScript("store-accept"), [options.directory, file, bytes, sha256]), {
    timeout: 2 * readingTime([artifact]), // It may read what is there, too.
  })
}

/** Whether the host has the right bytes already: then they need not come. What is not to be read in time has to. */
async function isThere({ options: { host, directory } }: S3Context, artifact: Artifact): Promise<boolean> {
  try {
    return (await wrongFiles(host, directory, [artifact])).length === 0
  } catch (error) {
    if (error instanceof HostError && error.fault === "timeout") return false
    throw error
  }
}

/** The object's bytes, going on where an answer was cut; a try that brings some does not count. */
async function* wholeObject(
  { bucket, patience, log }: S3Context,
  object: FetchOptions["object"],
  bytes: number,
): AsyncGenerator<Buffer> {
  const tell = progressLines(`fetch of ${object.file}`, { total: bytes }, Date.now)
  let at = 0
  let isGiven = false
  for (let failed = 0; at < bytes; ) {
    const from = at
    try {
      for await (const chunk of await openFrom(bucket, object, from)) {
        at += (chunk as Buffer).length
        const told = tell(at)
        if (told !== undefined) log(told)
        isGiven = true
        yield chunk as Buffer
        isGiven = false
      }
      if (at === from) throw failure("s3-cut", `${object.key} gave no bytes from ${from} on`)
    } catch (error) {
      if (isGiven) throw error // Its reader wants no more.
      failed = at > from ? 1 : failed + 1
      if (failed >= patience.tries || (error instanceof AppError && error.kind === "input")) throw error
      log(`fetching ${object.key} from byte ${at} on again: ${messageOf(error)}`)
      await sleep(failed * 500)
    }
  }
}

async function openFrom(bucket: Bucket, object: FetchOptions["object"], from: number): Promise<Readable> {
  const version = object.versionId === undefined ? {} : { VersionId: object.versionId }
  const range = from === 0 ? {} : { Range: `bytes=${from}-`, IfMatch: `"${object.etag}"` }
  return await bucket.call(`reading ${object.key}`, async (client) => {
    const get = new GetObjectCommand({ Bucket: bucket.name, Key: object.key, ...version, ...range })
    const { Body, ContentRange: got } = await client.send(get)
    if (!(Body instanceof Readable)) throw failure("s3-cut", `${object.key} came without a body`)
    if (from > 0 && !got?.startsWith(`bytes ${from}-`))
      throw failure("s3-cut", `${object.key} did not go on at ${from}`)
    return Body
  })
}
