import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { before, test } from "node:test"
import { ensureBucket, testObjectLock } from "../conformance/object-lock.ts"
import { makeBackup, putBackup, testStore } from "../conformance/store.ts"
import { radosgw } from "../testbed/radosgw.ts"
import type { S3Server } from "../testbed/testbed.ts"
import { s3Ground } from "./s3-ground.ts"
import type { Fault } from "./s3-proxy.ts"

let server: S3Server
before(async () => {
  server = await radosgw()
  await ensureBucket(server)
})

testStore("Ceph from the host", () => s3Ground({ transfer: "host" }, server))
testStore("Ceph through the runner", () => s3Ground({ transfer: "runner" }, server))
testObjectLock("Ceph", async () => server)

test("Ceph: parts that were cut, refused or changed on their way come to a whole object", async () => {
  await using ground = await s3Ground({ transfer: "host" }, server)
  const parts: Fault[] = ["pass", "cut", 503, "corrupt"]
  const completions: Fault[] = ["lose-answer"]
  ground.proxy.fault = (method, url) => {
    if (method === "PUT" && url.includes("partNumber=")) return parts.shift() ?? "pass"
    return method === "POST" && url.includes("uploadId=") ? (completions.shift() ?? "pass") : "pass"
  }
  const file = "postgres/large.dump"
  const bytes = randomBytes(33 * 1024 * 1024)
  const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: bytes } }))
  assert.deepEqual([parts, completions], [[], []])
  assert.match(manifest.storage.objects[0]?.etag ?? "", /^[0-9a-f]{32}-3$/)
  assert.deepEqual(await ground.store.verify(manifest), [])
  rmSync(`${ground.directory}/${file}`)
  await ground.store.fetch(manifest, ground.work)
  assert(readFileSync(`${ground.directory}/${file}`).equals(bytes))
})
