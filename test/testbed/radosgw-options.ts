import { execFileSync } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { radosgw } from "./radosgw.ts"
import type { S3Server } from "./testbed.ts"

const container = "infra-testbed-radosgw"

/** A second gateway of the same Ceph, with a storage class `STANDARD_IA` and keys for encryption, among them `testkey-1`. */
export async function radosgwWithOptions(): Promise<S3Server & AsyncDisposable> {
  const server = await radosgw()
  inside(`radosgw-admin zonegroup placement add --rgw-zonegroup default --placement-id default-placement --storage-class STANDARD_IA
    radosgw-admin zone placement add --rgw-zone default --placement-id default-placement --storage-class STANDARD_IA --data-pool default.rgw.buckets.data.ia
    ceph config set client.options rgw_crypt_require_ssl false
    ceph config set client.options rgw_crypt_s3_kms_backend testing
    ceph config set client.options rgw_crypt_s3_kms_encryption_keys "testkey-1=$(head -c 32 /dev/urandom | base64)"
    radosgw -n client.options --rgw_frontends="beast endpoint=0.0.0.0:7481"`)
  const address = execFileSync("docker", [
    ...["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container],
  ])
  const endpoint = `http://${address.toString().trim()}:7481`
  for (let tries = 0; !(await answers(endpoint)); tries++) {
    if (tries > 300) throw new Error(`no second radosgw at ${endpoint}`)
    await sleep(100)
  }
  return {
    ...server,
    endpoint,
    async [Symbol.asyncDispose]() {
      inside(
        'for pid in $(pidof radosgw); do if grep -q client.options "/proc/$pid/cmdline"; then kill "$pid"; fi; done',
      )
    },
  }
}

function inside(script: string): void {
  execFileSync("docker", ["exec", container, "sh", "-c", script], { stdio: ["ignore", "ignore", "pipe"] })
}

function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  )
}
