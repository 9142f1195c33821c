import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3"
import type { Manifest } from "../../src/core/manifest.ts"
import type { Work } from "../../src/host/work.ts"
import { Secret } from "../../src/shell/secret.ts"
import { openBucket } from "../../src/storage/s3-client.ts"
import { hostSender } from "../../src/storage/s3-send.ts"
import { uploadObject } from "../../src/storage/s3-upload.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { makeOpenpgpKeys } from "../support/openpgp-keys.ts"
import { shells, shellWork } from "../support/shell-work.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"

const mebibyte = 1024 * 1024
const file = "postgres/a 'b.dump"
const bytes = randomBytes(40 * mebibyte + 5)
const keys = makeOpenpgpKeys()
const id = "backup-20261121-030000"
const growing = { id, file, estimate: bytes.length }

/** Writes as a dump does before its proof. */
async function write({ directory }: S3Ground, upTo = bytes.length): Promise<void> {
  const path = `${directory}/${file}`
  mkdirSync(`${directory}/postgres`, { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.partial`, "", { mode: 0o600 })
  for (let at = 0; at < upTo; at += 8 * mebibyte) {
    appendFileSync(`${path}.partial`, bytes.subarray(at, Math.min(at + 8 * mebibyte, upTo)))
    await sleep(100)
  }
}

async function until(seen: () => boolean): Promise<void> {
  for (let tries = 0; !seen(); tries++) {
    assert(tries < 600, "it did not come in a minute")
    await sleep(100)
  }
}

function isPart(line: string): boolean {
  return line.startsWith("PUT ") && line.includes("partNumber=")
}

async function unfinished({ client, options }: S3Ground): Promise<number> {
  const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: options.bucket }))
  return uploads.filter((one) => one.Key?.startsWith(options.prefix)).length
}

interface Followed {
  readonly manifest: Manifest
  /** Parts sent before and after the file got its name. */
  readonly parts: readonly [number, number]
}

interface FollowOptions {
  readonly work?: Work
  /** What happens when the whole parts are there, or when they do not come. */
  readonly before?: () => void
  readonly fails?: boolean
  /** Says that the file is whole before it gets its name, and follows it to its end. */
  readonly whole?: boolean
}

/** A whole backup of the file, followed while it is written. */
async function followed(ground: S3Ground, options: FollowOptions = {}): Promise<Followed> {
  const { store, proxy, directory } = ground
  const { work = ground.work, before, fails, whole } = options
  const following = store.follow?.(growing, work, () => true)
  await write(ground)
  if (whole) writeFileSync(`${directory}/${file}.partial.written`, "")
  if (fails || whole) await following
  else await until(() => proxy.seen.filter(isPart).length >= 3)
  before?.()
  const early = proxy.seen.filter(isPart).length
  renameSync(`${directory}/${file}.partial`, `${directory}/${file}`)
  await following
  const made = makeBackup(directory, { id, files: { [file]: readFileSync(`${directory}/${file}`) } })
  const manifest = await putBackup({ ...ground, work }, made)
  return { manifest, parts: [early, proxy.seen.filter(isPart).length - early] }
}

async function comesBack({ store, work, directory }: S3Ground, manifest: Manifest): Promise<void> {
  assert.deepEqual(await store.verify(manifest), [])
  rmSync(`${directory}/${file}`)
  await store.fetch(manifest, work)
  assert(readFileSync(`${directory}/${file}`).equals(bytes))
}

for (const shell of shells)
  test(`whole parts go up while the file is written, the rest after its proof (${shell.join(" ")})`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    const { manifest, parts } = await followed(ground, { work: shellWork(shell) })
    // A probe and two parts, then the last part.
    assert.deepEqual(parts, [3, 1])
    assert(!ground.proxy.seen.some((line) => line.startsWith("DELETE ")))
    assert.match(manifest.storage.objects[0]?.etag ?? "", /^[0-9a-f]{32}-3$/)
    assert.equal(await unfinished(ground), 0)
    await comesBack(ground, manifest)
  })

for (const shell of shells)
  test(`the encrypted copy is made and goes up while the file is written (${shell.join(" ")})`, async () => {
    const encryption = { publicKey: keys.publicKey, privateKey: new Secret("backup-key", keys.privateKey) }
    await using ground = await s3Ground({ transfer: "host", encryption })
    const { manifest, parts } = await followed(ground, { work: shellWork(shell) })
    assert(parts[0] >= 3, `${parts[0]} parts while the file was written`)
    assert.deepEqual(readdirSync(`${ground.directory}/postgres`), ["a 'b.dump"])
    await comesBack(ground, manifest)
  })

/** Makes the whole file and says that it is; returns when it is followed to its end. */
async function writtenWhole(ground: S3Ground): Promise<void> {
  const following = ground.store.follow?.(growing, ground.work, () => true)
  await write(ground)
  writeFileSync(`${ground.directory}/${file}.partial.written`, "")
  await following
  assert.deepEqual([(await ground.keys()).length, await unfinished(ground)], [1, 0], ground.log.join("\n"))
}

test("the object is made while the file is being proven, and nothing is sent afterwards", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  await writtenWhole(ground)
  const early = ground.proxy.seen.length
  renameSync(`${ground.directory}/${file}.partial`, `${ground.directory}/${file}`)
  await ground.store.putArtifacts(makeBackup(ground.directory, { id, files: { [file]: bytes } }), ground.work)
  assert.deepEqual(ground.proxy.seen.slice(early), [])
})

test("a key that another backup takes while the file is being written is left to that one", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  let taken: Promise<void> | undefined
  ground.proxy.fault = (method, url) => {
    if (taken || !isPart(`${method} ${url}`) || !url.includes("partNumber=3&")) return "pass"
    taken = ground.damage(file)
    return { delay: 1000 }
  }
  const { manifest } = await followed(ground, { whole: true })
  await taken
  assert.match(ground.log.join("\n"), /does not go to S3 while it is written, but afterwards: .* is there by now/)
  assert.equal(manifest.storage.objects[0]?.key, `${ground.options.prefix}${file}.r2`)
  assert.equal((await ground.keys()).length, 3, "both objects and the manifest")
  assert.equal(await unfinished(ground), 0)
  await comesBack(ground, manifest)
})

for (const fault of ["lose-answer", "error-inside", "refuse", 503] as const)
  test(`a completion met by ${fault} while the file is being proven is made up for afterwards`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    const isCompletion = (method: string, url: string) => method === "POST" && url.includes("uploadId=")
    ground.proxy.fault = (method, url) => (isCompletion(method, url) ? fault : "pass")
    const before = () => {
      ground.proxy.fault = () => "pass"
    }
    const { manifest } = await followed(ground, { before, whole: true })
    assert.match(ground.log.join("\n"), /does not go to S3 while it is written, but afterwards: /)
    assert.equal(await unfinished(ground), 0)
    await comesBack(ground, manifest)
  })

for (const [what, encryption] of [
  ["in clear", undefined],
  ["encrypted", { publicKey: keys.publicKey, privateKey: undefined }],
] as const)
  test(`a file that turns out to be bad takes its object with it (${what})`, async () => {
    await using ground = await s3Ground({ transfer: "host", ...(encryption && { encryption }) })
    await writtenWhole(ground)
    for (const end of ["", ".written"]) rmSync(`${ground.directory}/${file}.partial${end}`)
    await ground.store.discard({ id, services: [] }, ground.work)
    assert.deepEqual(await ground.keys(), [])
    assert.deepEqual(readdirSync(`${ground.directory}/postgres`), [])
  })

test("a dump that fails leaves nothing in S3", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const following = ground.store.follow?.(growing, ground.work, () => true)
  await write(ground, 24 * mebibyte)
  await until(() => ground.proxy.seen.filter(isPart).length >= 2)
  assert.equal(await unfinished(ground), 1)
  rmSync(`${ground.directory}/${file}.partial`)
  await following
  await ground.store.discard({ id, services: [] }, ground.work)
  assert.equal(await unfinished(ground), 0)
  assert.deepEqual(await ground.keys(), [])
})

for (const [what, fault] of [
  ["refuses", 503],
  ["cuts", "cut"],
  ["denies", 403],
] as const)
  test(`a store that ${what} parts meanwhile gets them afterwards`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    let bad = true
    ground.proxy.fault = (method, url) =>
      bad && isPart(`${method} ${url}`) && !url.includes("partNumber=1&") ? fault : "pass"
    const before = () => {
      bad = false
    }
    const { manifest } = await followed(ground, { before, fails: true })
    assert.match(ground.log.join("\n"), /does not go to S3 while it is written, but afterwards: .*part 2 was answered/)
    await comesBack(ground, manifest)
  })

test("a store that takes a part with a wrong MD5 gets nothing, neither meanwhile nor afterwards", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  ground.proxy.fault = (method, url) => (isPart(`${method} ${url}`) ? "no-md5" : "pass")
  await assert.rejects(followed(ground, { fails: true, whole: true }), { code: "s3-md5-ignored" })
  assert.match(ground.log.join("\n"), /does not go to S3 while it is written, but afterwards: .*wrong Content-MD5/)
  assert.deepEqual(await ground.keys(), [])
  assert.equal(await unfinished(ground), 0)
})

test("parts that were not those of the finished file are sent again", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const before = () => {
    // What S3 has of the second part is then no longer what is there.
    const path = `${ground.directory}/${file}.partial`
    const changed = readFileSync(path)
    changed.writeUInt8(changed.readUInt8(20 * mebibyte) ^ 1, 20 * mebibyte)
    writeFileSync(path, changed)
  }
  const { manifest, parts } = await followed(ground, { before })
  // Sent to its end, completed, compared, removed; then all of it again, with a probe.
  assert.deepEqual(parts, [3, 5])
  assert.deepEqual(await ground.store.verify(manifest), [])
  rmSync(`${ground.directory}/${file}`)
  await ground.store.fetch(manifest, ground.work)
})

test("a file that outgrew its estimate by far goes up anew in larger parts", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const { client, options, directory, work } = ground
  const key = `${options.prefix}${file}`
  const { UploadId = "" } = await client.send(new CreateMultipartUploadCommand({ Bucket: options.bucket, Key: key }))
  const upload = { backup: id, key, id: UploadId, size: 32 * 1024 }
  const begun = { upload, sent: { md5s: new Map<number, string>() } }
  const { services } = makeBackup(directory, { id, files: { [file]: bytes } })
  const [artifact] = services[0]?.artifacts ?? []
  assert(artifact)
  const patience = { tries: 2, stall: 5 }
  const bucket = openBucket(options)
  const send = hostSender({ bucket, options, patience }, work)
  const { object } = await uploadObject(bucket, artifact, { backup: id, key, send, begun })
  assert.equal(object.partBytes, 16 * mebibyte)
  assert.equal(await unfinished(ground), 0)
})
