import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { type S3Server, testbed } from "./testbed.ts"

/** Ceph's S3 gateway, started when it is not up: the same keys as the testbed's first S3 server, and no bucket at first. */
export async function radosgw(): Promise<S3Server> {
  const setup = join(import.meta.dirname, "../../script/setup")
  const { stdout } = await promisify(execFile)(setup, ["radosgw"], { timeout: 900_000 })
  return { ...testbed().s3, endpoint: stdout.trim() }
}
