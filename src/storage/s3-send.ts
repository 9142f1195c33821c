import { createHash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { UploadPartCommand } from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script, sh } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { Bucket } from "./s3-client.ts"
import type { Part } from "./s3-parts.ts"
import { presignPart } from "./s3-presign.ts"
import { sessionEnded } from "./s3-session.ts"
import type { OpenUpload, PartSender } from "./s3-upload.ts"

/** Tries of one part, and seconds without progress that cut a try. */
export interface Patience {
  readonly tries: number
  readonly stall: number
}

/** Parts in one step: a gigabyte or more, well within the life of their URLs. */
export const batch = 64

export interface HostSending {
  readonly host: Host
  readonly work: Work
  readonly directory: string
  readonly patience: Patience
}

/**
 * The host sends the parts itself, by URLs that can do nothing else. They go in as the input of a step of the work rather
 * than by a bare connection: so the transfer goes on when the connection is lost, the lease is renewed meanwhile and the
 * journal knows of it. The keeper's copy has mode 600 and goes with the step; the URLs die within the hour.
 */
export function hostSender(bucket: Bucket, { host, work, directory, patience }: HostSending): PartSender {
  let steps = 0
  let enforced = false
  return async (upload, { parts, artifact, sent: known }) => {
    const md5s = await stillRight({ host, path: `${directory}/${artifact.file}`, size: upload.size }, known)
    let fruitless = 0
    while (md5s.size < parts.length) {
      const next = parts.filter(({ number }) => !md5s.has(number)).slice(0, batch)
      const input = await urls(bucket, upload, { parts: next, probe: !enforced })
      const args = [`${directory}/${artifact.file}`, upload.size, patience.tries, patience.stall]
      const { stdout } = await work.step(`upload-s3-${++steps}`, script("change", remoteScript("s3-upload"), args), {
        input: new Secret("presigned URLs", input),
        timeout: 600_000 + next.reduce((sum, { bytes }) => sum + bytes, 0) / 100,
      })
      const sent = readSent(stdout)
      if (!enforced) requireEnforced(sent.probe)
      enforced = true
      for (const { number, md5, code } of sent.parts) if (code === "200") md5s.set(number, md5)
      const failed = sent.parts.find(({ code }) => code !== "200")
      if (failed === undefined && sent.parts.length === next.length) continue
      // An old URL is refused like a wrong one: a fresh one decides, as often as something went up meanwhile.
      fruitless = sent.parts.some(({ code }) => code === "200") ? 0 : fruitless + 1
      if (failed?.code !== "403" || fruitless > 1) throw unsent(artifact, failed)
    }
    return parts.map(({ number }) => md5s.get(number) ?? "")
  }
}

/** What was sent while a file was being written counts only as far as the file, now proven, has the same bytes there. */
async function stillRight(
  { host, path, size }: { readonly host: Host; readonly path: string; readonly size: number },
  known: ReadonlyMap<number, string>,
): Promise<Map<number, string>> {
  if (known.size === 0) return new Map()
  const last = Math.max(...known.keys())
  const { stdout } = await host.run(script("read", remoteScript("s3-part-sums"), [path, size, last]), {
    timeout: 60_000 + (last * size) / 20_000,
  })
  const now = new Map([...stdout.matchAll(/^(\d+) ([0-9a-f]{32})$/gm)].map(([, number, md5]) => [Number(number), md5]))
  return new Map([...known].filter(([number, md5]) => now.get(number) === md5))
}

/** The lines that tell `s3-upload.sh` what to send, and before it, for a probe, a part whose MD5 is wrong. */
export async function urls(
  bucket: Bucket,
  { key, id }: OpenUpload,
  { parts, probe }: { readonly parts: readonly Part[]; readonly probe: boolean },
): Promise<string> {
  const line = async (number: number, bytes: number) =>
    `${number} ${bytes} ${await presignPart(bucket, { key, upload: id, part: number || 1 })}\n`
  const all = await Promise.all(parts.map(({ number, bytes }) => line(number, bytes)))
  return (probe ? await line(0, 1) : "") + all.join("")
}

interface Answer {
  readonly code: string
  /** S3's name for what was wrong; empty when nothing was. */
  readonly reason: string
}

interface SentPart extends Answer {
  readonly number: number
  readonly md5: string
}

function isExpired({ reason }: Answer): boolean {
  return /^(ExpiredToken|TokenRefreshRequired)$/.test(reason)
}

/** What came of a batch. */
export interface Sent {
  readonly probe: Answer | undefined
  readonly parts: readonly SentPart[]
  /** Why no more were sent; `sent` when all were. */
  readonly end: string
}

/** Reads the output of `s3-upload.sh`. */
export function readSent(text: string): Sent {
  const parts = [...text.matchAll(/^part (\d+) ([0-9a-f]{32}) (\d{3}) (\w*)$/gm)].map(
    ([, number, md5 = "", code = "", reason = ""]) => ({ number: Number(number), md5, code, reason }),
  )
  const [, code, reason = ""] = /^probe (\d{3}) (\w*)$/m.exec(text) ?? []
  const probe = code === undefined ? undefined : { code, reason }
  return { probe, parts, end: /^end (\w+)$/m.exec(text)?.[1] ?? "" }
}

/** A part with a wrong MD5 must have been refused, or a right one proves nothing. */
export function requireEnforced(probe: Answer | undefined): void {
  const code = probe?.code
  if (code === "400") return
  if (probe && isExpired(probe)) throw sessionEnded(undefined)
  if (code?.startsWith("2")) {
    throw failure("s3-md5-ignored", "S3 took a part with a wrong Content-MD5: what it stores cannot be proven", {
      hint: "Use a store that checks Content-MD5, as AWS, Ceph, MinIO and R2 do.",
    })
  }
  throw failure("s3-unsent", `S3 answered ${code ?? "nothing"} to the first part sent from the host`, {
    hint: "Check that the host reaches the S3 endpoint, and what the S3 key may do.",
  })
}

/** Why a file did not go up from the host. */
export function unsent({ file }: Pick<Artifact, "file">, failed: SentPart | undefined): Error {
  if (failed !== undefined && /^(ExpiredToken|TokenRefreshRequired)$/.test(failed.reason))
    return sessionEnded(undefined)
  const what =
    failed === undefined
      ? "stopped before its end"
      : `part ${failed.number} was answered with ${failed.code} ${failed.reason}`
  return failure("s3-unsent", `${file} could not be sent from the host to S3: ${what.trim()}`)
}

/** For hosts without curl, or without a way to S3: each part comes through here, one in memory at a time. */
export function runnerSender(
  bucket: Bucket,
  { host, directory, patience }: { readonly host: Host; readonly directory: string; readonly patience: Patience },
): PartSender {
  return async (upload, { parts, artifact }) => {
    const sum = createHash("sha256")
    const md5s: string[] = []
    for (const part of parts) {
      const body = await readPart(host, `${directory}/${artifact.file}`, part)
      sum.update(body)
      const md5 = createHash("md5").update(body).digest()
      await putPart(bucket, { upload, part, body, md5: md5.toString("base64") }, patience)
      md5s.push(md5.toString("hex"))
    }
    if (sum.digest("hex") === artifact.sha256) return md5s
    throw failure("backup-corrupt", `${artifact.file} on the host is not what it was when it was written`)
  }
}

async function readPart(host: Host, path: string, { from, bytes }: Part): Promise<Buffer> {
  const running = host.stream(sh`tail -c +${from + 1} ${path} | head -c ${bytes}`, { timeout: 600_000 })
  const chunks: Buffer[] = []
  for await (const chunk of running.stdout) chunks.push(chunk as Buffer)
  await running.done
  const body = Buffer.concat(chunks)
  if (body.length === bytes) return body
  throw failure("host-answer", `${path} gave ${body.length} bytes from ${from} instead of ${bytes}`)
}

interface PartBody {
  readonly upload: OpenUpload
  readonly part: Part
  readonly body: Buffer
  readonly md5: string
}

async function putPart(bucket: Bucket, { upload, part, body, md5 }: PartBody, { tries }: Patience): Promise<void> {
  const { key, id } = upload
  for (let attempt = 1; ; attempt++) {
    try {
      await bucket.call(`sending part ${part.number} of ${key}`, (client) =>
        client.send(
          new UploadPartCommand({
            Bucket: bucket.name,
            Key: key,
            UploadId: id,
            PartNumber: part.number,
            Body: body,
            ContentMD5: md5,
          }),
        ),
      )
      return
    } catch (error) {
      if (attempt >= tries) throw error
      await sleep(attempt * 500)
    }
  }
}
