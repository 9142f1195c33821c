import { createHash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { UploadPartCommand } from "@aws-sdk/client-s3"
import { AppError, failure } from "../core/errors.ts"
import { progressLines } from "../core/progress.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import { sh } from "../shell/command.ts"
import type { Bucket } from "./s3-client.ts"
import type { Patience, S3Context } from "./s3-context.ts"
import { statusOf } from "./s3-error.ts"
import type { OpenUpload } from "./s3-multipart.ts"
import { noteUpload } from "./s3-notes.ts"
import type { Part } from "./s3-parts.ts"
import { md5Ignored } from "./s3-sent.ts"
import type { PartSender } from "./s3-upload.ts"

/** For hosts without curl, or without a way to S3: each part comes through here, one in memory at a time. */
export function runnerSender(context: S3Context, work: Work): PartSender {
  const { bucket, options, patience, log } = context
  const { host, directory } = options
  let uploads = 0
  return async (upload, { parts, artifact }) => {
    await work.step(`note-upload-s3-${++uploads}`, noteUpload(context, upload))
    if (uploads === 1 && !(await tried(patience, () => checksMd5(bucket, upload)))) throw md5Ignored()
    const tell = progressLines(`upload of ${artifact.file}`, { total: artifact.bytes }, Date.now)
    const sum = createHash("sha256")
    const md5s: string[] = []
    for (const part of parts) {
      const body = await readPart(host, `${directory}/${artifact.file}`, part)
      sum.update(body)
      const md5 = createHash("md5").update(body).digest()
      const { number } = part
      await tried(patience, () => putPart(bucket, { upload, number, body, md5: md5.toString("base64") }))
      md5s.push(md5.toString("hex"))
      const told = tell(part.from + part.bytes)
      if (told !== undefined) log(told)
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

/** Whether a part with a wrong MD5 is refused, without which a right one proves nothing. A right one takes its place. */
async function checksMd5(bucket: Bucket, upload: OpenUpload): Promise<boolean> {
  const md5 = Buffer.alloc(16).toString("base64")
  try {
    await putPart(bucket, { upload, number: 1, body: Buffer.from("x"), md5 })
    return false
  } catch (error) {
    // What has a name of its own, as the end of a session, is not about the MD5.
    if (error instanceof AppError && error.code === "s3-failed" && statusOf(error) === 400) return true
    throw error
  }
}

interface PartBody {
  readonly upload: OpenUpload
  readonly number: number
  readonly body: Buffer
  /** In base64. */
  readonly md5: string
}

async function putPart(bucket: Bucket, { upload, number, body, md5 }: PartBody): Promise<void> {
  const { key, id } = upload
  const part = { Bucket: bucket.name, Key: key, UploadId: id, PartNumber: number, Body: body, ContentMD5: md5 }
  await bucket.call(`sending part ${number} of ${key}`, (client) => client.send(new UploadPartCommand(part)))
}

/** Does it again where it fails, as often as patience lasts. */
async function tried<T>({ tries }: Patience, act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (attempt >= tries) throw error
      await sleep(attempt * 500)
    }
  }
}
