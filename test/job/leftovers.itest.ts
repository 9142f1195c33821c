import assert from "node:assert/strict"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { CreateMultipartUploadCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { cleanLeftovers, noteBegun } from "../../src/job/clean-leftovers.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "../storage/s3-ground.ts"
import { stackTools } from "../support/stack-tools.ts"

const killed = { id: "backup-20261119-030000", stamp: "2026-11-19-030000", services: ["postgres", "cache"] }
const dump = "postgres/postgres-2026-11-19-030000-app.dump"
const keys = "dragonfly/cache-2026-11-19-030000.rdb"
/** Names as the old scripts gave them: nobody of ours began them. */
const foreign = "postgres/postgres-2026-11-18-030000.sql.gz"

interface Ground {
  readonly tools: Tools
  readonly s3: S3Ground
  readonly said: string[]
  at(now: string): Tools
}

async function open(s3: S3Ground): Promise<Ground> {
  const { directory, host, work } = s3
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const base = stackTools({ project: "shop", baseDir: directory }, { host, work })
  const tools: Tools = {
    ...base,
    layout: { ...base.layout, backups: directory, state: `${directory}/state` },
    stores: [localStore({ host, directory, project: "shop", environment: "test" }), s3.store],
    log: { ...silentLogger, info: say, warning: say },
  }
  for (const folder of ["postgres", "dragonfly", "metadata"]) mkdirSync(`${directory}/${folder}`, { recursive: true })
  await work.step("note", noteBegun(tools.layout, { ...killed, at: "2026-11-19T03:00:00Z" }))
  for (const file of [dump, keys, foreign]) {
    writeFileSync(`${directory}/${file}`, "left")
    await s3.client.send(
      new PutObjectCommand({ Bucket: s3.options.bucket, Key: s3.options.prefix + file, Body: "left" }),
    )
  }
  const upload = { Bucket: s3.options.bucket, Key: `${s3.options.prefix}${dump}.r2` }
  await s3.client.send(new CreateMultipartUploadCommand(upload))
  const at = (now: string) => ({ ...tools, clock: { ...tools.clock, now: () => new Date(now) } })
  return { tools, s3, said, at }
}

test("what a killed backup left goes: from the host and as an upload at once, as an object after a day", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said } = await open(s3)
  const { prefix } = s3.options
  const half = `${s3.directory}/${dump}.partial`
  const others = `${s3.directory}/postgres/other-2026-11-19-030000.dump.partial`
  for (const file of [half, others]) writeFileSync(file, "half")

  await cleanLeftovers(at("2026-11-19T04:00:00Z"))
  assert.deepEqual(
    [dump, keys, foreign].map((file) => existsSync(`${s3.directory}/${file}`)),
    [false, false, true],
  )
  assert.deepEqual(
    [half, others].map((file) => existsSync(file)),
    [false, true],
    "another project may write it",
  )
  assert.equal((await s3.keys()).length, 3)
  assert.match(said.join("\n"), /took back the unfinished upload of postgres\/postgres-2026-11-19-030000-app\.dump\.r2/)
  assert.match(said.join("\n"), /local: removed dragonfly\/cache-2026-11-19-030000\.rdb, which a killed run left/)
  assert.equal(readdirSync(`${s3.directory}/state/begun`).length, 1)

  said.length = 0
  await cleanLeftovers(at("2026-11-20T03:00:01Z"))
  assert.deepEqual(await s3.keys(), [prefix + foreign])
  assert.match(said.join("\n"), /s3: removed postgres\/postgres-2026-11-19-030000-app\.dump, which a killed run left/)
  assert.deepEqual(readdirSync(`${s3.directory}/state/begun`), [])

  said.length = 0
  await cleanLeftovers(at("2026-11-21T03:00:00Z"))
  assert.deepEqual(said, [])
})

test("what a manifest in any store names stays, and so does everything while one manifest cannot be read", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said } = await open(s3)
  // Another environment's backup: no list of ours shows it.
  const other = makeBackup(s3.directory, { id: "backup-20261119-030001", files: { [keys]: Buffer.from("good") } })
  const manifest = `${s3.directory}/metadata/${other.id}.json`
  writeFileSync(manifest, JSON.stringify({ ...other, environment: "dev" }))
  writeFileSync(`${s3.directory}/metadata/backup-20261118-030000.json`, "{ torn")

  await cleanLeftovers(at("2026-11-21T03:00:00Z"))
  assert.match(said.join("\n"), /could not be cleaned away: backup-20261118-030000\.json cannot be read/)
  assert.ok(existsSync(`${s3.directory}/${dump}`))

  writeFileSync(
    `${s3.directory}/metadata/backup-20261118-030000.json`,
    JSON.stringify({ ...other, environment: "dev" }),
  )
  await cleanLeftovers(at("2026-11-21T03:00:00Z"))
  assert.ok(existsSync(`${s3.directory}/${keys}`), "named by a manifest of another environment")
  assert.ok(!existsSync(`${s3.directory}/${dump}`))
  assert.deepEqual(await s3.keys(), [s3.options.prefix + keys, s3.options.prefix + foreign].toSorted())
})

test("a backup that was published is left alone, and its note goes", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said, tools } = await open(s3)
  const good = makeBackup(s3.directory, { id: killed.id, files: { "dragonfly/new.rdb": Buffer.from("good") } })
  await tools.stores[0]?.putManifest(await putBackup(s3, good), s3.work)

  await cleanLeftovers(at("2026-11-21T03:00:00Z"))
  assert.ok(existsSync(`${s3.directory}/${dump}`))
  assert.deepEqual(said, [])
  assert.deepEqual(readdirSync(`${s3.directory}/state/begun`), [])
})
