import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { cleanLeftovers, noteBegun } from "../../src/job/clean-leftovers.ts"
import { forgetStoppedApp, noteStoppedApp, type StoppedAppNote } from "../../src/job/stopped-app-note.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { s3Ground } from "../storage/s3-ground.ts"
import { dump, foreign, keys, killed, leftoversGround, noteUpload } from "./leftovers-ground.ts"

test("what a killed backup left goes: from the host and as an upload at once, as an object after a day", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said, unfinished } = await leftoversGround(s3)
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
  assert.equal((await unfinished()).length, 1, "only what was noted is taken back, by its id")
  assert.deepEqual(readdirSync(`${s3.directory}/state/uploads`), [])
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

test("what a manifest in the same store names stays, and so does everything while one manifest cannot be read", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said } = await leftoversGround(s3)
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
  assert.deepEqual(await s3.keys(), [s3.options.prefix + foreign], "no manifest there names more")
})

test("an object that no manifest names goes after a day, be its backup killed or published without it", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said, tools } = await leftoversGround(s3)
  const put = (path: string) =>
    s3.client.send(
      new PutObjectCommand({ Bucket: s3.options.bucket, Key: s3.options.prefix + path, Body: "completed" }),
    )
  const without = makeBackup(s3.directory, { id: "backup-20261119-040000" })
  await tools.stores[0]?.putManifest(without, s3.work)
  const [orphan, kept, late] = ["dragonfly/cache-1.rdb", "dragonfly/kept.rdb", "dragonfly/late.rdb.gpg"]
  const stored = makeBackup(s3.directory, { id: "backup-20261119-050000", files: { [kept]: Buffer.from("good") } })
  await tools.stores[0]?.putManifest(await putBackup(s3, stored), s3.work)
  for (const path of [orphan, late]) await put(path)
  noteUpload(s3, orphan, "over-1", without.id)
  noteUpload(s3, kept, "over-2", stored.id)
  noteUpload(s3, late, "over-3")

  await cleanLeftovers(at("2026-11-19T06:00:00Z"))
  const left = async () => {
    const paths = (await s3.keys()).map((key) => key.slice(s3.options.prefix.length))
    const notes = readdirSync(`${s3.directory}/state/uploads`)
    return [...[orphan, kept, late].filter((path) => paths.includes(path)), ...notes]
  }
  assert.deepEqual(await left(), [orphan, kept, late, `${killed.id}.jsonl`, `${without.id}.jsonl`])

  await cleanLeftovers(at("2026-11-20T03:00:01Z"))
  assert.deepEqual(await left(), [kept])
  assert.match(said.join("\n"), /s3: removed dragonfly\/cache-1\.rdb, which/)
  assert.deepEqual(await s3.store.verify((await s3.store.list()).backups[0]?.manifest ?? stored), [])
})

test("a dump that a way back may need stays while the app is stopped by our hand, and a day longer", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, tools } = await leftoversGround(s3)
  const note: StoppedAppNote = { awaits: "services", fingerprints: [] }
  const kept = { ...killed, kept: "while-stopped", at: "2026-11-19T03:00:00Z" } as const
  rmSync(`${s3.directory}/state/begun`, { recursive: true })
  await s3.work.step("note", noteBegun(tools.layout, kept))
  await s3.work.step("note", noteStoppedApp(tools.layout, note))
  const stays = async (now: string) => {
    await cleanLeftovers(at(now))
    return existsSync(`${s3.directory}/${keys}`)
  }
  assert.equal(await stays("2026-11-25T03:00:00Z"), true)
  await s3.work.step("forget", forgetStoppedApp(tools.layout))
  assert.equal(await stays("2026-11-25T04:00:00Z"), true)
  assert.equal(await stays("2026-11-26T03:59:59Z"), true)
  await s3.work.step("note", noteStoppedApp(tools.layout, note))
  assert.equal(await stays("2026-11-26T04:00:01Z"), true, "the app is stopped again")
  await s3.work.step("forget", forgetStoppedApp(tools.layout))
  assert.equal(await stays("2026-11-26T04:00:02Z"), false)
  assert.deepEqual(readdirSync(`${s3.directory}/state/begun`), [])
})

test("a backup that was published is left alone, and its note goes", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said, tools } = await leftoversGround(s3)
  const good = makeBackup(s3.directory, { id: killed.id, files: { "dragonfly/new.rdb": Buffer.from("good") } })
  await tools.stores[0]?.putManifest(await putBackup(s3, good), s3.work)

  await cleanLeftovers(at("2026-11-21T03:00:00Z"))
  assert.ok(existsSync(`${s3.directory}/${dump}`))
  assert.match(said.join("\n"), /^s3: took back the unfinished upload of \S+, which a killed run left$/)
  assert.deepEqual(readdirSync(`${s3.directory}/state/begun`), [])
})

test("killed between S3's manifest and the local one: what lies here whole is published here, what does not goes", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, said, tools } = await leftoversGround(s3)
  const good = { ...makeBackup(s3.directory, { id: killed.id, files: { [keys]: Buffer.from("good") } }) }
  const published = await putBackup(s3, good)
  const begun = () => readdirSync(`${s3.directory}/state/begun`)
  const listed = async () => (await tools.stores[0]?.list())?.backups.map(({ manifest }) => manifest)

  await cleanLeftovers(at("2026-11-19T04:00:00Z"))
  assert.deepEqual(await listed(), [published])
  assert.equal(readFileSync(`${s3.directory}/${keys}`, "utf8"), "good")
  assert.deepEqual(begun(), [])
  assert.match(said.join("\n"), /local: backup-20261119-030000, of which only S3 had .* lies here whole: published/)

  // The same with a file that is not what it was: S3 has the backup, and here is nothing of it any more.
  rmSync(`${s3.directory}/metadata/${killed.id}.json`)
  writeFileSync(`${s3.directory}/${keys}`, "cut")
  await s3.work.step("note", noteBegun(tools.layout, { ...killed, at: "2026-11-19T03:00:00Z" }))
  await cleanLeftovers(at("2026-11-19T04:00:00Z"))
  assert.deepEqual(await listed(), [])
  assert.deepEqual([existsSync(`${s3.directory}/${keys}`), existsSync(`${s3.directory}/${foreign}`)], [false, true])
  assert.deepEqual(begun(), [])
  assert.deepEqual(await s3.store.verify(published), [])
})

test("a removal that was killed behind the manifest is ended in its store, and the other store's copy stays", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { at, tools } = await leftoversGround(s3)
  const made = await putBackup(s3, makeBackup(s3.directory, { id: killed.id, files: { [keys]: Buffer.from("good") } }))
  const [local] = tools.stores
  await local?.putManifest(made, s3.work)
  const note = (from: "local" | "s3") =>
    s3.work.step("note", noteBegun(tools.layout, { ...killed, at: made.created, from }))
  const there = async () => [existsSync(`${s3.directory}/${keys}`), (await s3.keys()).some((key) => key.includes(keys))]

  rmSync(`${s3.directory}/state/begun`, { recursive: true })
  rmSync(`${s3.directory}/metadata/${killed.id}.json`)
  await note("local")
  await cleanLeftovers(at(made.created))
  assert.deepEqual(await there(), [false, true])
  assert.deepEqual(await s3.store.verify(made), [])

  await s3.store.fetch(made, s3.work)
  await local?.putManifest(made, s3.work)
  const Key = `${s3.options.prefix}metadata/${killed.id}.json`
  await s3.client.send(new DeleteObjectCommand({ Bucket: s3.options.bucket, Key }))
  await note("s3")
  await cleanLeftovers(at(made.created))
  assert.deepEqual(await there(), [true, false])
  assert.deepEqual(await local?.verify(made), [])
  assert.deepEqual(readdirSync(`${s3.directory}/state/begun`), [])
})
