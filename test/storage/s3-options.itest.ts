import assert from "node:assert/strict"
import { test } from "node:test"
import { s3Store } from "../../src/storage/s3-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { s3Ground } from "./s3-ground.ts"

for (const storage of [{ serverSide: "s3" }, { serverSide: "kms" }, { storageClass: "STANDARD_IA" }] as const)
  test(`a store that takes ${Object.values(storage).join()} and does not do it fails the backup, and keeps nothing of it`, async () => {
    await using ground = await s3Ground({ transfer: "host", storage })
    await ground.store.probe()
    const manifest = makeBackup(ground.directory)
    await assert.rejects(ground.store.putArtifacts(manifest, ground.work), { code: "s3-storage" })
    await ground.store.discard(manifest, ground.work)
    assert.deepEqual(await ground.keys(), [])
  })

test("a session that is over, or about to end, stops before anything is sent, by its name", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const until = (minutes: number) => {
    const sessionEnd = new Date(Date.now() + minutes * 60_000)
    return s3Store({ ...ground.options, credentials: { ...ground.options.credentials, sessionEnd } })
  }
  const manifest = makeBackup(ground.directory)
  const over = { kind: "input", code: "s3-session-ended" }
  for (const does of [
    () => until(-1).probe(),
    () => until(-1).list(),
    () => until(-1).putArtifacts(manifest, ground.work),
    () => until(2).putArtifacts(manifest, ground.work),
  ])
    await assert.rejects(does(), over)
  assert.deepEqual(await ground.keys(), [])
  assert.deepEqual(
    ground.proxy.seen.filter((one) => one.includes("partNumber=")),
    [],
  )
  await putBackup({ ...ground, store: until(20) }, manifest)
  // A quarter of an hour of the session is left for the URLs.
  const [life] = ground.proxy.seen.flatMap((one) => /X-Amz-Expires=(\d+)/.exec(one)?.[1] ?? [])
  assert(Number(life) > 840 && Number(life) <= 900, life)
})

test("a store that says meanwhile that the session is over is believed", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  ground.proxy.fault = (method, url) => (method === "PUT" && url.includes("partNumber=") ? "expired" : "pass")
  const manifest = makeBackup(ground.directory)
  await assert.rejects(ground.store.putArtifacts(manifest, ground.work), { code: "s3-session-ended" })
  ground.proxy.fault = () => "expired"
  await assert.rejects(ground.store.list(), { code: "s3-session-ended" })
})
