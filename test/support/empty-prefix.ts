import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3"
import { Secret } from "../../src/shell/secret.ts"
import { openBucket } from "../../src/storage/s3-client.ts"
import { testbed } from "../testbed/testbed.ts"

/** Removes what a test has left in the testbed's bucket below a prefix of its own: objects, and uploads that never ended. */
export async function emptyPrefix(prefix: string): Promise<void> {
  const { s3 } = testbed()
  const { client } = openBucket({
    ...s3,
    credentials: {
      accessKeyId: new Secret("s3-access-key-id", s3.accessKeyId),
      secretAccessKey: new Secret("s3-secret-access-key", s3.secretAccessKey),
    },
  })
  try {
    const below = { Bucket: s3.bucket, Prefix: prefix }
    for (;;) {
      const { Contents: found = [] } = await client.send(new ListObjectsV2Command(below))
      for (const { Key } of found) await client.send(new DeleteObjectCommand({ Bucket: s3.bucket, Key }))
      if (found.length === 0) break
    }
    const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand(below))
    for (const { Key, UploadId } of uploads)
      await client.send(new AbortMultipartUploadCommand({ Bucket: s3.bucket, Key, UploadId }))
  } finally {
    client.destroy()
  }
}
