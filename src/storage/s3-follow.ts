import { failure, messageOf } from "../core/errors.ts"
import type { GrowingFile } from "../core/growing-file.ts"
import type { Work } from "../host/work.ts"
import { hashingScript } from "../remote/hashing-script.ts"
import { lines, script } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { BegunUpload, S3Context } from "./s3-context.ts"
import { encryptedFile, encryptGrowing } from "./s3-encryption.ts"
import { lockFrom } from "./s3-lock.ts"
import { abort, beginUpload, head } from "./s3-multipart.ts"
import { noteUpload } from "./s3-notes.ts"
import { mostParts, partSize } from "./s3-parts.ts"
import { lanes } from "./s3-send.ts"
import { readSent, refusedPart, requireEnforced, sendingProgress, unsent, urls } from "./s3-sent.ts"
import { urlLife } from "./s3-session.ts"
import { completeUpload } from "./s3-upload.ts"

/** Seconds without growth after which a follower on the host ends: its writer may be dead. A live one gets another follower. */
const idle = 60

/** Tries of a part while the file is written: what does not go up now goes up later. */
const tries = 2

interface Following {
  readonly growing: GrowingFile
  readonly begun: BegunUpload
  readonly work: Work
  readonly running: () => boolean
}

/**
 * The host sends the parts of a file while it is being written, and makes the object of them while it is being proven, so
 * that nothing is left to do when it is. `putArtifacts` compares what went up with what was proven. Never throws: an upload
 * that does not come far is done, or fails with its reason, in `putArtifacts`.
 */
export async function follow(
  context: S3Context,
  growing: GrowingFile,
  { work, running }: Pick<Following, "work" | "running">,
): Promise<void> {
  const { bucket, options, log } = context
  // Of two parts at least the first can go up early.
  if (work.dryRun || growing.estimate < 2 * partSize(0)) return
  try {
    if ((await context.transfer()) !== "host") return
    const encrypts = options.encryption?.publicKey
    const key = `${options.prefix}${growing.file}${encrypts ? ".gpg" : ""}`
    if ((await head(bucket, key, undefined)) !== undefined) return
    const lock = options.immutable && lockFrom(Date.now(), options.immutable)
    const begin = { backup: growing.id, key, bytes: growing.estimate, lock, storage: options.storage }
    const upload = await beginUpload(bucket, begin)
    const begun: BegunUpload = { number: context.begun.size + 1, upload, md5s: new Map() }
    context.begun.set(growing.file, begun)
    const encrypting = encrypts ? encryptGrowing(context, { growing, begun, work }, encrypts) : undefined
    const sending = sendGrowing(context, { growing, begun, work, running })
    for (const ended of await Promise.allSettled([sending, encrypting]))
      if (ended.status === "rejected") throw ended.reason
    // What is locked could not be taken back if the file turned out to be bad.
    if (!options.immutable) await completeEarly(context, growing, begun)
  } catch (error) {
    log(`${growing.file} does not go to S3 while it is written, but afterwards: ${messageOf(error)}`)
  }
}

async function sendGrowing(context: S3Context, { growing, begun, work, running }: Following): Promise<void> {
  const { bucket, options, patience } = context
  const { upload, md5s } = begun
  const { size } = upload
  // An encrypted copy grows beside the file and gets its name when it is whole as well.
  const name = `${options.directory}/${options.encryption?.publicKey ? encryptedFile(growing.file) : growing.file}`
  const path = options.encryption?.publicKey ? `${name}.growing` : `${name}.partial`
  for (let steps = 1; md5s.size < mostParts; steps++) {
    const input = await urls(bucket, upload, { numbers: nextParts(growing, begun), probe: steps === 1 })
    const life = urlLife(bucket.sessionEnd, Date.now())
    // The last URL that is begun still has a quarter of its life.
    const args = [path, size, tries, patience.stall, lanes, name, idle, Math.floor((life * 3) / 4)]
    const command = lines(noteUpload(context, upload), script("change", hashingScript("s3-upload"), args))
    const { stdout } = await work.step(`follow-s3-${begun.number}-${steps}`, command, {
      input: new Secret("presigned URLs", input),
      timeout: life * 1000,
      progress: sendingProgress(size, md5s.size * size),
    })
    const sent = readSent(stdout)
    if (steps === 1) requireEnforced(sent.probe)
    for (const { number, md5, code } of sent.parts) if (code === "200") md5s.set(number, md5)
    const refused = refusedPart(sent)
    if (refused !== undefined && (refused.code !== "403" || sent.parts.every(({ code }) => code !== "200")))
      throw unsent(growing, refused)
    if (sent.sha256 !== undefined && sent.bytes !== undefined) begun.whole = { bytes: sent.bytes, sha256: sent.sha256 }
    if (["whole", "gone", ""].includes(sent.end) || (sent.end === "idle" && !running())) return
  }
}

/** Those that the file will hardly be more than, or, when it is, as many again. */
function nextParts({ estimate }: GrowingFile, { upload, md5s }: BegunUpload): readonly number[] {
  const planned = Math.ceil(estimate / upload.size)
  const last = Math.min(mostParts, md5s.size < planned ? planned : 2 * md5s.size)
  return Array.from({ length: last }, (_, index) => index + 1).filter((number) => !md5s.has(number))
}

/** What does not become an object in this way goes up anew: nobody knows what became of it. */
async function completeEarly(context: S3Context, { file }: GrowingFile, begun: BegunUpload): Promise<void> {
  const { whole, encrypted, upload, md5s } = begun
  if (whole === undefined || (encrypted && encrypted.sha256 !== whole.sha256)) return
  try {
    const inOrder = [...md5s].sort(([a], [b]) => a - b).map(([, md5]) => md5)
    const done = await completeUpload(context.bucket, { file, bytes: whole.bytes }, { upload, md5s: inOrder })
    if ("problem" in done) throw failure("s3-differs", done.problem)
    begun.done = done
  } catch (error) {
    context.begun.delete(file)
    await abort(context.bucket, upload)
    throw error
  }
}
