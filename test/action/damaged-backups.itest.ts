import assert from "node:assert/strict"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3"
import { type DrillGround, drillGround } from "../support/drill-ground.ts"
import { testbed } from "../testbed/testbed.ts"

const prefix = `t-damaged-${process.pid}/`

/** What becomes of a file; `other` is the same file of an earlier backup. Nothing: it is gone. */
const damages: Readonly<Record<string, (bytes: Buffer, other: Buffer) => Buffer | undefined>> = {
  corrupted(bytes) {
    const copy = Buffer.from(bytes)
    const middle = Math.floor(copy.length / 2)
    copy.writeUInt8(copy.readUInt8(middle) ^ 1, middle)
    return copy
  },
  truncated: (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2)),
  swapped: (_bytes, other) => other,
  missing: () => undefined,
}

describe("damaged backups", () => {
  let ground: DrillGround
  let backups: string
  let id: string
  let file: string
  let bytes: Buffer
  let other: Buffer
  let live: string
  const { bucket: Bucket, accessKeyId, secretAccessKey, ...s3 } = testbed().s3
  const client = new S3Client({ ...s3, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })

  before(async () => {
    ground = await drillGround(16, { prefix })
    backups = ground.backups
    await ground.backUp()
    await ground.sql("insert into patients values (501, 'came later')")
    id = await ground.backUp()
    const dumps = readdirSync(join(backups, "postgres")).filter(
      (name) => name.endsWith(".dump") && name.includes("healthcare"),
    )
    const [older = "", newer = ""] = dumps.sort()
    file = `postgres/${newer}`
    bytes = readFileSync(join(backups, file))
    other = readFileSync(join(backups, "postgres", older))
    assert(!bytes.equals(other))
    live = await ground.sql("select count(*) from patients")
  })
  after(async () => {
    await ground[Symbol.asyncDispose]()
    client.destroy()
  })

  const stores = {
    local: (content: Buffer | undefined) =>
      content === undefined ? rmSync(join(backups, file)) : writeFileSync(join(backups, file), content),
    s3: (content: Buffer | undefined) =>
      content === undefined
        ? client.send(new DeleteObjectCommand({ Bucket, Key: prefix + file }))
        : put(prefix + file, content),
  }

  /** As a backup stores it, so that only the bytes differ. */
  async function put(Key: string, Body: Buffer): Promise<void> {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const part = { Bucket, Key, UploadId, PartNumber: 1 }
    const { ETag } = await client.send(new UploadPartCommand({ ...part, Body }))
    await client.send(
      new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
    )
  }

  /** The same configuration with another `backup.s3`, beside it. */
  function withS3(changed: Readonly<Record<string, unknown>>): string {
    const config = JSON.parse(readFileSync(ground.config, "utf8"))
    const path = `${ground.config}.other`
    writeFileSync(
      path,
      JSON.stringify({ ...config, backup: { ...config.backup, s3: { ...config.backup.s3, ...changed } } }),
    )
    return path
  }

  test("with the keys of S3 lost, the host's copy is restored once S3 is off", async () => {
    const env = { S3_ACCESS_KEY_ID: "", S3_SECRET_ACCESS_KEY: "" }
    const wanting = await ground.act("restore", { source: "local" }, { env })
    assert.deepEqual([wanting.code, wanting.outputs.reason], [1, "missing-secret"], wanting.log)
    const back = await ground.act("restore", { config: withS3({ enabled: false }) }, { env })
    assert.deepEqual([back.code, back.outputs.source, back.outputs["backup-id"]], [0, "local", id], back.log)
    assert.equal(await ground.sql("select count(*) from patients"), live)
  })

  test("with S3 down, the host's copy is restored when it is asked for by its id or its store", async () => {
    const config = withS3({ endpoint: "http://127.0.0.1:1" })
    const unsure = await ground.act("restore", { config })
    assert.deepEqual([unsure.code, unsure.outputs.reason], [1, "latest-unknown"], unsure.log)
    for (const inputs of [{ "backup-id": id }, { source: "local" }]) {
      const back = await ground.act("restore", { config, ...inputs })
      assert.deepEqual([back.code, back.outputs.source, back.outputs["backup-id"]], [0, "local", id], back.log)
    }
    assert.equal(await ground.sql("select count(*) from patients"), live)
  })

  for (const [name, damage] of Object.entries(damages))
    for (const store of ["local", "s3"] as const)
      test(`${name} in ${store}: told by the list, not restored, not proven by a drill; the other copy is`, async () => {
        await using _healed = {
          async [Symbol.asyncDispose]() {
            await stores[store](bytes)
          },
        }
        await stores[store](damage(bytes, other))
        const list = await ground.act("backups", { verify: "true" })
        assert.deepEqual([list.outputs.status, list.outputs.reason], ["partial", "problems-found"], list.log)
        const [newest] = JSON.parse(list.outputs.backups ?? "[]")
        const bad = newest.copies.filter((copy: { problems: string[] }) => copy.problems.length > 0)
        assert.deepEqual([newest.id, bad.map((copy: { store: string }) => copy.store)], [id, [store]])

        const restored = await ground.act("restore", { "backup-id": id, source: store })
        assert.deepEqual([restored.code, restored.outputs.reason], [1, "backup-unusable"], restored.log)
        assert.doesNotMatch(restored.log, /stop-writers|restore-postgres/)
        const drilled = await ground.act("drill", { "backup-id": id, source: store })
        assert.deepEqual([drilled.code, drilled.outputs["drill-status"]], [1, "failed"], drilled.log)
        assert.equal(await ground.sql("select count(*) from patients"), live)

        const back = await ground.act("restore", { "backup-id": id })
        const whole = store === "local" ? "s3" : "local"
        assert.deepEqual([back.code, back.outputs.source], [0, whole], back.log)
        if (store === "local") assert.match(back.log, new RegExp(`copy of ${id} in local cannot be used`))
        assert.equal(await ground.sql("select count(*) from patients"), live)
        await stores[store](bytes)
        const healed = await ground.act("backups", { verify: "true" })
        const [{ copies }] = JSON.parse(healed.outputs.backups ?? "[]")
        const seen = copies.map((copy: { store: string; problems: string[] }) => [copy.store, copy.problems])
        assert.deepEqual(seen, [
          ["local", []],
          ["s3", []],
        ])
        // Whole again, but its last drill failed: only another one proves it.
        const again = copies.find((copy: { store: string }) => copy.store === store)
        assert.deepEqual([again.proven, again.drill.result], ["unproven", "failed"])
      })

  test("damaged in both stores: nothing is proven, and a restore leaves the live data alone", async () => {
    const broken = damages.corrupted?.(bytes, other)
    for (const store of ["local", "s3"] as const) await stores[store](broken)
    const list = await ground.act("backups", { verify: "true" })
    assert.notEqual(list.outputs["newest-proven"], id)
    const run = await ground.act("restore", { "backup-id": id })
    assert.deepEqual([run.code, run.outputs.reason], [1, "backup-unusable"], run.log)
    assert.match(run.log, /local: .*s3: .*s3: .*s3: /s)
    assert.equal(await ground.sql("select count(*) from patients"), live)
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: prefix + file }))
    assert.equal((await Body?.transformToByteArray())?.length, bytes.length)
  })
})
