import { messageOf } from "../core/errors.ts"
import type { GrowingFile } from "../core/growing-file.ts"
import type { Work } from "../host/work.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { S3Context } from "./s3-context.ts"
import { encryptedFile, encryptGrowing } from "./s3-encryption.ts"
import { lockFrom } from "./s3-lock.ts"
import { mostParts, partSize } from "./s3-parts.ts"
import { batch, readSent, requireEnforced, unsent, urls } from "./s3-send.ts"
import { urlLife } from "./s3-session.ts"
import { type BegunUpload, beginUpload, head } from "./s3-upload.ts"

/** Seconds without growth after which a follower on the host ends: its writer may be dead. A live one gets another follower. */
const idle = 60

/** Tries of a part while the file is written: what does not go up now goes up later. */
const tries = 2

/**
 * The host sends whole parts of a file while it is being written, so that little is left to send when it is whole. The
 * parts are read from the growing file and checked again when it is proven; nothing is completed here. Never throws: an
 * upload that does not come far is done, or fails with its reason, in `putArtifacts`.
 */
export async function follow(
  context: S3Context,
  growing: GrowingFile,
  { work, running }: { readonly work: Work; readonly running: () => boolean },
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
    const { storage } = options
    const upload = await beginUpload(bucket, { key, bytes: growing.estimate, lock, storage })
    const begun: BegunUpload = { backup: growing.id, number: context.begun.size + 1, upload, md5s: new Map() }
    context.begun.set(growing.file, begun)
    const encrypting = encrypts ? encryptGrowing(context, { growing, begun, work }, encrypts) : undefined
    const sending = sendGrowing(context, { growing, begun, work, running })
    for (const ended of await Promise.allSettled([sending, encrypting]))
      if (ended.status === "rejected") throw ended.reason
  } catch (error) {
    log(`${growing.file} does not go to S3 while it is written, but afterwards: ${messageOf(error)}`)
  }
}

interface Following {
  readonly growing: GrowingFile
  readonly begun: BegunUpload
  readonly work: Work
  readonly running: () => boolean
}

async function sendGrowing(context: S3Context, { growing, begun, work, running }: Following): Promise<void> {
  const { bucket, options, patience } = context
  const { upload, md5s } = begun
  const { size } = upload
  // An encrypted copy grows beside the file and gets its name when it is whole as well.
  const name = `${options.directory}/${options.encryption?.publicKey ? encryptedFile(growing.file) : growing.file}`
  const path = options.encryption?.publicKey ? `${name}.growing` : `${name}.partial`
  for (let steps = 1; md5s.size < mostParts; steps++) {
    const first = md5s.size + 1
    const count = Math.min(batch, mostParts - md5s.size)
    const parts = Array.from({ length: count }, (_, at) => ({ number: first + at, from: 0, bytes: size }))
    const life = urlLife(bucket.sessionEnd, Date.now())
    const input = await urls(bucket, upload, { parts, probe: steps === 1 })
    // The last URL that is begun still has a quarter of its life.
    const args = [path, size, tries, patience.stall, name, idle, Math.floor((life * 3) / 4)]
    const command = script("change", remoteScript("s3-upload"), args)
    const { stdout } = await work.step(`follow-s3-${begun.number}-${steps}`, command, {
      input: new Secret("presigned URLs", input),
      timeout: life * 1000,
    })
    const sent = readSent(stdout)
    if (steps === 1) requireEnforced(sent.probe)
    for (const { number, md5, code } of sent.parts) if (code === "200") md5s.set(number, md5)
    const refused = sent.parts.find(({ code }) => code !== "200")
    if (refused !== undefined && (refused.code !== "403" || sent.parts.length === 1)) throw unsent(growing, refused)
    if (["whole", "gone", ""].includes(sent.end) || (sent.end === "idle" && !running())) return
  }
}
