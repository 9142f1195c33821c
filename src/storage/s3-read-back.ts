import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { GetObjectCommand } from "@aws-sdk/client-s3"
import { failure, messageOf } from "../core/errors.ts"
import { mayStillAct } from "../host/work.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { FetchOptions, S3Context } from "./s3-context.ts"
import { presignGet } from "./s3-presign.ts"

/**
 * Reads a stored object to its end, where its bytes came from, and compares them with the file's SHA-256: the one proof of
 * what a restore will get. Throws `s3-differs` when they are others.
 */
export async function readBack(context: S3Context, options: FetchOptions): Promise<void> {
  const { artifact, object } = options
  try {
    if ((await context.transfer()) === "runner") await readHere(context, options)
    else await readOnHost(context, options)
  } catch (error) {
    if (!mayStillAct(error)) throw error
    throw failure("s3-differs", `${artifact.file} could not be read back from ${object.key}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function readOnHost({ bucket, patience }: S3Context, { artifact, object, work, step }: FetchOptions) {
  const url = await presignGet(bucket, { key: object.key, versionId: object.versionId })
  const args = [artifact.bytes, artifact.sha256, patience.tries, patience.stall]
  await work.step(step, script("read", remoteScript("s3-read-back"), args), {
    input: new Secret("presigned URL", `${url}\n`),
    timeout: 600_000 + artifact.bytes / 100,
  })
}

async function readHere(
  { bucket, options, patience, log }: S3Context,
  { artifact, object }: FetchOptions,
): Promise<void> {
  const version = object.versionId === undefined ? {} : { VersionId: object.versionId }
  for (let attempt = 1; ; attempt++) {
    try {
      await bucket.call(`reading ${object.key} back`, async (client) => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket.name, Key: object.key, ...version }))
        if (!(Body instanceof Readable)) throw failure("s3-cut", `${object.key} came without a body`)
        const hash = createHash("sha256")
        for await (const chunk of Body) {
          hash.update(chunk as Buffer)
          options.progress?.()
        }
        if (hash.digest("hex") !== artifact.sha256) throw failure("s3-cut", "other bytes came than were sent")
      })
      return
    } catch (error) {
      if (attempt >= patience.tries) throw error
      log(`reading ${object.key} back again: ${messageOf(error)}`)
    }
  }
}
