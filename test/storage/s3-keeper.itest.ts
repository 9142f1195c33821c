import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { claimLease } from "../../src/host/claim-lease.ts"
import { openWork } from "../../src/host/open-work.ts"
import { planWork } from "../../src/host/plan-work.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { s3Ground } from "./s3-ground.ts"

test("under the real keeper the bytes come and go, and no URL or key stays on the host", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const state = mkdtempSync(join(tmpdir(), "t-s3-state-"))
  const layout = { work: `${state}/work`, journal: `${state}/journal.jsonl` }
  const holder = { run: "1", attempt: "1", actor: "tester", purpose: "test", url: "" }
  const lease = await claimLease(ground.host, { directory: `${state}/lock`, holder })
  const log: string[] = []
  const work = openWork(ground.host, { lease, layout, id: "run-1", log: (line) => log.push(line) })
  const bytes = randomBytes(20 * 1024 * 1024)
  const manifest = await putBackup(
    { ...ground, work },
    makeBackup(ground.directory, { files: { "postgres/a.dump": bytes } }),
  )
  rmSync(`${ground.directory}/postgres/a.dump`)
  await ground.store.fetch(manifest, work)
  assert(readFileSync(`${ground.directory}/postgres/a.dump`).equals(bytes))
  await lease.release()
  const { accessKeyId, secretAccessKey } = ground.options.credentials
  const secrets = [accessKeyId.reveal(), secretAccessKey.reveal(), "X-Amz-Signature"]
  const files = [state, ground.directory].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => `${one.parentPath}/${one.name}`),
  )
  assert(files.some((one) => one.endsWith("journal.jsonl")))
  for (const file of files) {
    const text = readFileSync(file, "latin1")
    for (const secret of secrets) assert(!text.includes(secret), `${file} holds a secret`)
  }
  assert(!secrets.some((secret) => log.join("\n").includes(secret)))
  rmSync(state, { recursive: true })
})

test("a dry run shows what would be sent, and sends nothing", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const log: string[] = []
  const work = planWork({ id: "run-1", log: (line) => log.push(line) })
  const manifest = await putBackup({ ...ground, work }, makeBackup(ground.directory))
  const object = {
    file: "dragonfly/cache-1.rdb",
    key: `${ground.options.prefix}dragonfly/cache-1.rdb`,
    etag: "",
    partBytes: 1,
  }
  await ground.store.fetch({ ...manifest, storage: { ...manifest.storage, objects: [object] } }, work)
  await ground.store.remove(manifest, work)
  await ground.store.discard(manifest, work)
  assert.deepEqual(await ground.keys(), [])
  assert.match(log.join("\n"), /dragonfly\/cache-1\.rdb/)
  assert(!ground.proxy.seen.some((one) => !one.startsWith("GET ")), ground.proxy.seen.join("\n"))
})
