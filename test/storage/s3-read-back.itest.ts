import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { test } from "node:test"
import { makeBackup } from "../conformance/store.ts"
import { shells, shellWork } from "../support/shell-work.ts"
import { s3Ground } from "./s3-ground.ts"

const file = "postgres/a b.dump"
const isRead = (method: string, url: string) => method === "GET" && url.includes(".dump") && !url.includes("uploadId")

for (const transfer of ["host", "runner"] as const)
  test(`bytes are read back ${transfer === "host" ? "on the host" : "by the runner"}, through a cut, and named so`, async () => {
    let noticed = 0
    await using ground = await s3Ground({ transfer, readBack: true, progress: () => noticed++ })
    let cut = 0
    ground.proxy.fault = (method, url) => (isRead(method, url) && cut++ === 0 ? "cut-answer" : "pass")
    const manifest = makeBackup(ground.directory, { files: { [file]: randomBytes(17 * 1024 * 1024) } })
    const { tier } = await ground.store.putArtifacts(manifest, ground.work)
    assert.equal(tier, "read-back")
    assert(cut >= 2, `${cut} reads`)
    // On the host it is a step of the work, which is watched itself.
    if (transfer === "runner") assert(noticed > 100, `${noticed} signs of progress`)
    assert(!existsSync(`${ground.directory}/${file}.partial`))
  })

for (const transfer of ["host", "runner"] as const)
  test(`a store that gives other bytes than it took fails the upload (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer, readBack: true, patience: { tries: 2, stall: 2 } })
    ground.proxy.fault = (method, url) => (isRead(method, url) ? "corrupt-answer" : "pass")
    const manifest = makeBackup(ground.directory, { files: { [file]: Buffer.from("what a restore will need") } })
    await assert.rejects(ground.store.putArtifacts(manifest, ground.work), { code: "s3-differs" })
    await ground.store.discard(manifest, ground.work)
    assert.deepEqual(await ground.keys(), [])
  })

for (const shell of shells)
  test(`reading back means the same under ${shell.join(" ")}`, async () => {
    await using ground = await s3Ground({ transfer: "host", readBack: true, patience: { tries: 2, stall: 2 } })
    const manifest = makeBackup(ground.directory, { files: { [file]: randomBytes(100_000) } })
    assert.equal((await ground.store.putArtifacts(manifest, shellWork(shell))).tier, "read-back")
    ground.proxy.fault = (method, url) => (isRead(method, url) ? 503 : "pass")
    const second = { ...manifest, id: "backup-20261121-040000" }
    await assert.rejects(
      ground.store.putArtifacts(second, shellWork(shell)),
      /read back.*other bytes than were sent, or none/,
    )
  })
