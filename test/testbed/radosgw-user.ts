import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import type { S3Server } from "./testbed.ts"

/** A user of Ceph's gateway who may do nothing by itself: what it may, a bucket's policy says. */
export function radosgwUser(server: S3Server, name: string): S3Server {
  const [accessKeyId, secretAccessKey] = [randomBytes(8).toString("hex"), randomBytes(16).toString("hex")]
  const keys = ["--access-key", accessKeyId, "--secret-key", secretAccessKey]
  execFileSync("docker", [
    ...["exec", "infra-testbed-radosgw", "radosgw-admin", "user", "create", "--uid", name, "--display-name", name],
    ...keys,
  ])
  return { ...server, accessKeyId, secretAccessKey }
}

/** Removes it again, its keys with it. */
export function removeRadosgwUser(name: string): void {
  execFileSync("docker", ["exec", "infra-testbed-radosgw", "radosgw-admin", "user", "rm", "--uid", name])
}
