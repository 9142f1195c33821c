import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { test } from "node:test"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { shells, shellWork } from "../support/shell-work.ts"
import { s3Ground } from "./s3-ground.ts"

for (const shell of shells) {
  test(`upload and fetch mean the same under ${shell.join(" ")}`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    const bytes = randomBytes(17 * 1024 * 1024 + 1)
    const work = shellWork(shell)
    const manifest = await putBackup(
      { ...ground, work },
      makeBackup(ground.directory, { files: { "postgres/a b.dump": bytes } }),
    )
    rmSync(`${ground.directory}/postgres`, { recursive: true })
    let cut = 0
    ground.proxy.fault = (method, url) =>
      method === "GET" && url.includes("dump") && cut++ === 0 ? "cut-answer" : "pass"
    await ground.store.fetch(manifest, work)
    assert(readFileSync(`${ground.directory}/postgres/a b.dump`).equals(bytes))
    rmSync(`${ground.directory}/postgres/a b.dump`)
    ground.proxy.fault = (method, url) => (method === "GET" && url.includes("dump") ? 503 : "pass")
    await assert.rejects(ground.store.fetch(manifest, work), /S3 answered 503 for postgres\/a b\.dump/)
  })
}
