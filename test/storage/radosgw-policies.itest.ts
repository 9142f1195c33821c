import assert from "node:assert/strict"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { after, before, test } from "node:test"
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3"
import type { AppError } from "../../src/core/errors.ts"
import { Secret } from "../../src/shell/secret.ts"
import type { BackupStore } from "../../src/storage/backup-store.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { ensureBucket } from "../conformance/object-lock.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { recordOf } from "../support/manifests.ts"
import { radosgw } from "../testbed/radosgw.ts"
import { radosgwUser, removeRadosgwUser } from "../testbed/radosgw-user.ts"
import type { S3Server } from "../testbed/testbed.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"

const guide = readFileSync(join(import.meta.dirname, "../../docs/s3.md"), "utf8")
const roles = ["uploader", "reader", "cleaner"] as const
type Role = (typeof roles)[number]
const run = `${process.pid}-${Date.now()}`
const users = new Map<Role, S3Server>()
let server: S3Server

before(async () => {
  server = { ...(await radosgw()), bucket: `policies-${run}` }
  await ensureBucket(server, { locked: true })
  for (const role of roles) users.set(role, radosgwUser(server, `${role}-${run}`))
})
after(() => {
  for (const role of users.keys()) removeRadosgwUser(`${role}-${run}`)
})

interface Statement {
  readonly Effect: string
  readonly Action: readonly string[]
  readonly Resource: string
}

/** The guide's own text for a role, about this bucket. */
function statements(role: Role, prefix: string): readonly object[] {
  const text = guide.split(`<!-- policy ${role} -->\n\`\`\`json\n`)[1]?.split("```")[0]
  assert(text, `the guide has no policy for ${role}`)
  const filled = text.replaceAll("BUCKET", server.bucket).replaceAll("PREFIX", prefix)
  const policy = JSON.parse(filled) as { readonly Statement: readonly Statement[] }
  return policy.Statement.map((one) => ({ ...one, Principal: { AWS: [`arn:aws:iam:::user/${role}-${run}`] } }))
}

/** The three roles' stores over one bucket that has the guide's policies. */
async function open(): Promise<{ readonly ground: S3Ground; readonly as: (role: Role) => BackupStore }> {
  const immutable = { days: 1, mode: "governance" } as const
  const ground = await s3Ground({ bucket: server.bucket, transfer: "host", immutable }, server)
  const policy = {
    Version: "2012-10-17",
    Statement: roles.flatMap((role) => statements(role, ground.options.prefix)),
  }
  await ground.client.send(new PutBucketPolicyCommand({ Bucket: server.bucket, Policy: JSON.stringify(policy) }))
  const as = (role: Role) => {
    const { accessKeyId = "", secretAccessKey = "" } = users.get(role) ?? {}
    const credentials = {
      accessKeyId: new Secret("s3-access-key-id", accessKeyId),
      secretAccessKey: new Secret("s3-secret-access-key", secretAccessKey),
    }
    return s3Store({ ...ground.options, credentials })
  }
  return { ground, as }
}

const denied = (error: AppError) => error.code === "s3-denied" || error.code === "s3-locked"

test("the guide's policies: the uploader stores and locks, the reader brings back, neither deletes", async () => {
  const { ground, as } = await open()
  await using held = ground
  const [uploader, reader] = [as("uploader"), as("reader")]
  await uploader.probe()
  await uploader.prepare(held.work)
  const manifest = makeBackup(held.directory)
  const { objects, lockedUntil } = await uploader.putArtifacts(manifest, held.work)
  assert(lockedUntil)
  const stored = {
    ...manifest,
    storage: { local: "success", s3: "success", tier: "etag", lockedUntil, objects },
  } as const
  await uploader.putManifest({ ...stored, storage: { ...stored.storage, objects: [...objects] } }, held.work)
  const [listed] = (await reader.list()).backups
  assert.equal(listed?.manifest.id, manifest.id)
  assert.deepEqual(await reader.verify(listed.manifest), [])
  // A drill's record lies beside the locked manifest, and a key that may only read cannot write one.
  const record = recordOf(manifest.id, "drill-20261121-040000")
  await assert.rejects(reader.recordDrill(record, held.work), denied)
  await uploader.recordDrill(record, held.work)
  assert.deepEqual((await reader.drills()).records, [record])
  assert.deepEqual((await reader.list()).backups[0]?.manifest, listed.manifest)
  rmSync(`${held.directory}/dragonfly`, { recursive: true })
  await reader.fetch(listed.manifest, held.work)
  await assert.rejects(as("cleaner").remove(listed.manifest, held.work), denied)
  assert.equal((await reader.list()).backups.length, 1)
})

test("the guide's policies: only the cleaner deletes, and only it cannot write", async () => {
  const { ground, as } = await open()
  await using held = ground
  // Without a lock, so that only the right to delete decides.
  const plain = s3Store({ ...held.options, immutable: undefined })
  const stored = await putBackup({ ...held, store: plain }, makeBackup(held.directory))
  for (const role of ["uploader", "reader"] as const)
    await assert.rejects(as(role).remove(stored, held.work), denied, role)
  for (const role of ["cleaner", "reader"] as const) {
    const files = { "dragonfly/other.rdb": Buffer.from("other") }
    const other = makeBackup(held.directory, { id: "backup-20261121-050000", files })
    await assert.rejects(as(role).putArtifacts(other, held.work), denied, role)
  }
  await as("cleaner").remove(stored, held.work)
  assert.deepEqual((await as("reader").list()).backups, [])
})

test("the guide's policies: no role reads, writes or deletes outside of its prefix", async () => {
  const { ground } = await open()
  await using held = ground
  const place = { Bucket: server.bucket, Key: `other-${run}/metadata/theirs.json` }
  await held.client.send(new PutObjectCommand({ ...place, Body: "theirs" }))
  for (const role of roles) {
    const { accessKeyId = "", secretAccessKey = "", ...at } = users.get(role) ?? server
    const client = new S3Client({ ...at, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
    const tries = [
      () => client.send(new GetObjectCommand(place)),
      () => client.send(new PutObjectCommand({ ...place, Body: "ours" })),
      () => client.send(new DeleteObjectCommand(place)),
    ]
    for (const attempt of tries) await assert.rejects(attempt(), { name: "AccessDenied" }, role)
    client.destroy()
  }
})
