import { createHash } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { UploadPartCommand } from "@aws-sdk/client-s3"
import { failure } from "../core/errors.ts"
import { progressLines } from "../core/progress.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import { sh } from "../shell/command.ts"
import type { Bucket } from "./s3-client.ts"
import type { Patience, S3Context } from "./s3-context.ts"
import type { OpenUpload } from "./s3-multipart.ts"
import { noteUpload } from "./s3-notes.ts"
import type { Part } from "./s3-parts.ts"
import type { PartSender } from "./s3-upload.ts"

/** For hosts without curl, or without a way to S3: each part comes through here, one in memory at a time. */
export function runnerSender(context: S3Context, work: Work): PartSender {
  const { bucket, options, patience, log } = context
  const { host, directory } = options
  let uploads = 0
  return async (upload, { parts, artifact }) => {
    await work.step(`note-upload-s3-${++uploads}`, noteUpload(context, upload))
    const tell = progressLines(`upload of ${artifact.file}`, { total: artifact.bytes }, Date.now)
    const sum = createHash("sha256")
    const md5s: string[] = []
    for (const part of parts) {
      const body = await readPart(host, `${directory}/${artifact.file}`, part)
      sum.update(body)
      const md5 = createHash("md5").update(body).digest()
      await putPart(bucket, { upload, part, body, md5: md5.toString("base64") }, patience)
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
