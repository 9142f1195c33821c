import { failure } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import type { Work } from "../host/work.ts"
import { hashingScript } from "../remote/hashing-script.ts"
import { lines, script } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { S3Context } from "./s3-context.ts"
import type { OpenUpload } from "./s3-multipart.ts"
import { noteUpload } from "./s3-notes.ts"
import type { Part } from "./s3-parts.ts"
import { readSent, refusedPart, requireEnforced, sendingProgress, unsent, urls } from "./s3-sent.ts"
import type { PartSender } from "./s3-upload.ts"

/** Parts of one file that go up at once: a single connection rarely fills a long line. */
export const lanes = 4

type Sending = Pick<S3Context, "bucket" | "options" | "patience">

/**
 * The host sends the parts itself, by URLs that can do nothing else. They go in as the input of a step of the work rather
 * than by a bare connection: so the transfer goes on when the connection is lost, the lease is renewed meanwhile and the
 * journal knows of it. The keeper's copy has mode 600 and goes with the step; the URLs die within the hour.
 */
export function hostSender(context: Sending, work: Work): PartSender {
  const state: SenderState = { steps: 0, enforced: false }
  return async (upload, { parts, artifact, sent }) => {
    const md5s = new Map(sent?.md5s)
    let { sha256 } = { ...sent }
    for (;;) {
      if (md5s.size < parts.length) sha256 = await sendMissing(context, state, { upload, parts, artifact, work, md5s })
      // The very bytes that S3 has taken are those that were proven.
      if (sha256 === artifact.sha256) break
      await keepRight(context, { upload, artifact, md5s })
      if (md5s.size === parts.length) break
    }
    return parts.map(({ number }) => md5s.get(number) ?? "")
  }
}

interface SenderState {
  steps: number
  /** Whether S3 was seen to refuse a wrong MD5. */
  enforced: boolean
}

interface Missing {
  readonly upload: OpenUpload
  readonly parts: readonly Part[]
  readonly artifact: Artifact
  readonly work: Work
  /** Of the parts that S3 has; gets those that are sent. */
  readonly md5s: Map<number, string>
}

/** Sends what is missing, in as many calls as URLs get old. Gives the SHA-256 of all when all went up in one. */
async function sendMissing(context: Sending, state: SenderState, missing: Missing): Promise<string | undefined> {
  const { bucket, options, patience } = context
  const { upload, parts, artifact, work, md5s } = missing
  for (let fruitless = 0; ; ) {
    const next = parts.filter(({ number }) => !md5s.has(number))
    const left = next.reduce((sum, { bytes }) => sum + bytes, 0)
    const input = await urls(bucket, upload, { numbers: next.map(({ number }) => number), probe: !state.enforced })
    const args = [`${options.directory}/${artifact.file}`, upload.size, patience.tries, patience.stall, lanes]
    const command = lines(noteUpload(context, upload), script("change", hashingScript("s3-upload"), args))
    const { stdout } = await work.step(`upload-s3-${++state.steps}`, command, {
      input: new Secret("presigned URLs", input),
      timeout: 600_000 + left / 100,
      progress: sendingProgress(upload.size, artifact.bytes - left),
    })
    const sent = readSent(stdout)
    if (!state.enforced) requireEnforced(sent.probe)
    state.enforced = true
    for (const { number, md5, code } of sent.parts) if (code === "200") md5s.set(number, md5)
    if (md5s.size === parts.length) return sent.sha256
    // An old URL is refused like a wrong one: a fresh one decides, as often as something went up meanwhile.
    const failed = refusedPart(sent)
    fruitless = sent.parts.some(({ code }) => code === "200") ? 0 : fruitless + 1
    if (failed?.code !== "403" || fruitless > 1) throw unsent(artifact, failed)
  }
}

/** Forgets the parts of which the file, proven to be the one that was dumped, has other bytes now than were sent. */
async function keepRight(
  { options: { host, directory } }: Sending,
  { upload, artifact, md5s }: Pick<Missing, "upload" | "artifact" | "md5s">,
): Promise<void> {
  const count = Math.max(1, Math.ceil(artifact.bytes / upload.size))
  const args = [`${directory}/${artifact.file}`, upload.size, count]
  const { stdout } = await host.run(script("read", hashingScript("s3-part-sums"), args), {
    timeout: 60_000 + artifact.bytes / 20_000,
  })
  if (/^sum ([0-9a-f]{64})$/m.exec(stdout)?.[1] !== artifact.sha256)
    throw failure("backup-corrupt", `${artifact.file} on the host is not what it was when it was written`)
  const now = new Map([...stdout.matchAll(/^(\d+) ([0-9a-f]{32})$/gm)].map(([, number, md5]) => [Number(number), md5]))
  for (const [number, md5] of md5s) if (now.get(number) !== md5) md5s.delete(number)
}
