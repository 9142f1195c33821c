import { failure } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import type { Progress } from "../core/progress.ts"
import type { Bucket } from "./s3-client.ts"
import type { OpenUpload } from "./s3-multipart.ts"
import { presignPart } from "./s3-presign.ts"
import { sessionEnded } from "./s3-session.ts"

/** The lines that tell `s3-upload.sh` what to send, and before it, for a probe, a part whose MD5 is wrong. */
export async function urls(
  bucket: Bucket,
  { key, id }: OpenUpload,
  { numbers, probe }: { readonly numbers: readonly number[]; readonly probe: boolean },
): Promise<string> {
  const line = async (number: number) =>
    `${number} ${await presignPart(bucket, { key, upload: id, part: number || 1 })}\n`
  const all = await Promise.all(numbers.map(line))
  return (probe ? await line(0) : "") + all.join("")
}

interface Answer {
  readonly code: string
  /** S3's name for what was wrong; empty when nothing was. */
  readonly reason: string
}

interface SentPart extends Answer {
  readonly number: number
  /** Hexadecimal. */
  readonly md5: string
}

/** What came of one call of `s3-upload.sh`. */
export interface Sent {
  readonly probe: Answer | undefined
  readonly parts: readonly SentPart[]
  /** Of the whole file, as soon as it is known. */
  readonly bytes: number | undefined
  /** SHA-256 of what was sent, when that was the whole file. */
  readonly sha256: string | undefined
  /** Why no more were sent; `sent` when all were, `whole` when the file has no more. */
  readonly end: string
}

/** Reads the output of `s3-upload.sh`. */
export function readSent(text: string): Sent {
  const [, code, reason = ""] = /^probe (\d{3}) (\w*)$/m.exec(text) ?? []
  const bytes = /^whole (\d+)$/m.exec(text)?.[1]
  return {
    probe: code === undefined ? undefined : { code, reason },
    parts: text.split("\n").flatMap((line) => readPart(line) ?? []),
    bytes: bytes === undefined ? undefined : Number(bytes),
    sha256: /^sum ([0-9a-f]{64})$/m.exec(text)?.[1],
    end: /^end (\w+)$/m.exec(text)?.[1] ?? "",
  }
}

function readPart(line: string): SentPart | undefined {
  const [, number, md5, code, reason = ""] = /^part (\d+) ([A-Za-z0-9+/]{22}==) (\d{3}) (\w*)$/.exec(line) ?? []
  if (number === undefined || md5 === undefined || code === undefined) return undefined
  return { number: Number(number), md5: Buffer.from(md5, "base64").toString("hex"), code, reason }
}

/** How far a call of `s3-upload.sh` has come, by its own lines; `from` are the bytes that went up before it. */
export function sendingProgress(size: number, from: number): Progress {
  let total: number | undefined
  let done = from
  return {
    from,
    get total() {
      return total
    },
    read(line) {
      const whole = /^whole (\d+)$/.exec(line)?.[1]
      if (whole !== undefined) total = Number(whole)
      const part = readPart(line)
      if (part?.code !== "200") return undefined
      done += total === undefined ? size : Math.min(size, total - (part.number - 1) * size)
      return done
    },
  }
}

/** A part with a wrong MD5 must have been refused, or a right one proves nothing. */
export function requireEnforced(probe: Answer | undefined): void {
  const code = probe?.code
  if (code === "400") return
  if (probe && isExpired(probe)) throw sessionEnded(undefined)
  if (code?.startsWith("2")) throw md5Ignored()
  throw failure("s3-unsent", `S3 answered ${code ?? "nothing"} to the first part sent from the host`, {
    hint: "Check that the host reaches the S3 endpoint, and what the S3 key may do.",
  })
}

/** The store took a part with a wrong MD5. */
export function md5Ignored(): Error {
  return failure("s3-md5-ignored", "S3 took a part with a wrong Content-MD5: what it stores cannot be proven", {
    hint: "Use a store that checks Content-MD5, as AWS, Ceph, MinIO and R2 do.",
  })
}

/** The part for which no more were sent: an answer other than 200, and among several one that no fresh URL mends. */
export function refusedPart({ parts }: Sent): SentPart | undefined {
  const refused = parts.filter(({ code }) => code !== "200").sort((a, b) => a.number - b.number)
  return refused.find(({ code }) => code !== "403") ?? refused[0]
}

/** Why a file did not go up from the host. */
export function unsent({ file }: Pick<Artifact, "file">, failed: SentPart | undefined): Error {
  if (failed !== undefined && isExpired(failed)) return sessionEnded(undefined)
  const what =
    failed === undefined
      ? "stopped before its end"
      : `part ${failed.number} was answered with ${failed.code} ${failed.reason}`
  return failure("s3-unsent", `${file} could not be sent from the host to S3: ${what.trim()}`)
}

function isExpired({ reason }: Answer): boolean {
  return /^(ExpiredToken|TokenRefreshRequired)$/.test(reason)
}
