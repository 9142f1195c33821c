import assert from "node:assert/strict"
import { test } from "node:test"
import type { Manifest } from "../../src/core/manifest.ts"
import { makeBackup } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"
import type { Fault } from "./s3-proxy.ts"

/** A backup whose files are in S3, and every request that publishes it meets the fault. */
async function meet(ground: S3Ground, fault: Fault): Promise<Manifest> {
  const { store, work, directory, proxy } = ground
  const made = makeBackup(directory)
  const { objects } = await store.putArtifacts(made, work)
  proxy.fault = (method, url) => (method === "PUT" && url.includes("/metadata/") ? fault : "pass")
  return { ...made, storage: { local: "success", s3: "success", tier: "etag", objects } }
}

test("a manifest whose answer was lost, however often it was sent, is published", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const manifest = await meet(ground, "lose-answer")
  await ground.store.putManifest(manifest, ground.work)
  assert.deepEqual((await ground.store.list()).backups[0]?.manifest, manifest)
})

test("a manifest that is refused is not there, and its objects can be taken back", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const manifest = await meet(ground, 403)
  await assert.rejects(ground.store.putManifest(manifest, ground.work), { code: "s3-denied" })
  assert.equal((await ground.keys()).length, 1)
  await ground.store.discard(manifest, ground.work)
  assert.deepEqual(await ground.keys(), [])
})

for (const fault of [503, "refuse"] satisfies readonly Fault[])
  test(`a manifest that met ${fault} may yet come: its objects stay`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    const manifest = await meet(ground, fault)
    await assert.rejects(ground.store.putManifest(manifest, ground.work))
    await assert.rejects(ground.store.discard(manifest, ground.work), /may be published and stays/)
    assert.equal((await ground.keys()).length, 1)
  })
