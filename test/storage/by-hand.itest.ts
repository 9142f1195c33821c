import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { runByHand } from "../support/by-hand.ts"
import { makeOpenpgpKeys } from "../support/openpgp-keys.ts"
import { testbed } from "../testbed/testbed.ts"
import { s3Ground } from "./s3-ground.ts"

test("by hand a file comes from S3 under its own name, whatever key it had to take, encrypted or not", async () => {
  const keys = makeOpenpgpKeys()
  const encryption = { publicKey: keys.publicKey, privateKey: undefined }
  const { s3 } = testbed()
  const secrets = {
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    BACKUP_KEY: keys.privateKey,
  }
  for (const encrypted of [false, true]) {
    await using ground = await s3Ground(encrypted ? { encryption } : {})
    const cwd = mkdtempSync(join(tmpdir(), "t-by-hand-"))
    const GNUPGHOME = join(cwd, "gnupg")
    mkdirSync(GNUPGHOME, { mode: 0o700 })
    try {
      const made = makeBackup(ground.directory)
      await ground.damage("dragonfly/cache-1.rdb")
      const { id, storage } = await putBackup(ground, made)
      assert.match(storage.objects[0]?.key ?? "", /\.r2$/)
      const { bucket: BUCKET, region: REGION, prefix: PREFIX } = ground.options
      const reach = { ENDPOINT: s3.endpoint, BUCKET, REGION, PREFIX, ID: id }
      const sections = ["From S3", ...(encrypted ? ["Encrypted copies"] : []), "Is it whole?"]
      const said = runByHand(sections, { env: { ...secrets, ...reach, GNUPGHOME }, cwd })
      assert.equal(said, `${id}.json\n`)
      assert.equal(readFileSync(join(cwd, "cache-1.rdb"), "utf8"), "some keys")
    } finally {
      execFileSync("gpgconf", ["--homedir", GNUPGHOME, "--kill", "all"])
      rmSync(cwd, { recursive: true })
    }
  }
})
