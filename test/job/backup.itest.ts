import assert from "node:assert/strict"
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { backupId } from "../../src/core/backup-id.ts"
import { backup } from "../../src/job/backup.ts"
import { checkBackupAge } from "../../src/job/backup-age.ts"
import { checkInfra } from "../../src/job/check-infra.ts"
import { proveBackup } from "../../src/job/prove-backup.ts"
import { restore } from "../../src/job/restore.ts"
import { dataServices } from "../../src/job/stack-services.ts"
import type { Tools } from "../../src/job/tools.ts"
import { type S3Ground, s3Ground } from "../storage/s3-ground.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import { open, redis, sql } from "./recreate-ground.ts"

const slot = 17

describe("backups of a stack", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    sql(place, "create table notes as select generate_series(1, 100) i")
    redis(place, "mset", "a", "1", "b", "2", "c", "3")
    redis(place, "set", "gone", "soon", "ex", "9000")
  })
  after(() => removeStack({ slot }))

  const services = ["dragonfly"]

  it("stay on the host when S3, not required, fails at the very last request", async () => {
    const tools = open(place)
    await using s3 = await inFront(tools)
    s3.proxy.fault = (method, url) => (method === "PUT" && url.includes("/metadata/") ? 403 : "pass")
    const done = await backup(withS3(tools, s3), { services })
    assert.equal(done.status, "partial")
    assert.match(done.s3Failure ?? "", /S3 denied publishing/)
    assert.equal(done.manifest.storage.s3, "failed")
    const [local] = tools.stores
    assert.deepEqual(
      (await local?.list())?.backups.map((one) => one.manifest.id),
      [done.manifest.id],
    )
    assert.deepEqual(await local?.verify(done.manifest), [])
    assert.deepEqual(await s3.keys(), [])
    const [age] = await checkBackupAge(tools, 3_600_000)
    assert.deepEqual([age?.state, age?.detail], ["failed", "there is no proven backup of postgres"])
    const stores = async (required: boolean) =>
      (await checkBackupAge(withS3(tools, s3, { required }), 3_600_000)).map(({ name, state }) => [name, state])
    const onHost = ["newest backup in local", "failed"]
    assert.deepEqual(await stores(false), [onHost, ["newest backup in s3", "warning"]])
    assert.deepEqual(await stores(true), [onHost, ["newest backup in s3", "failed"]])
    s3.proxy.fault = (_method, url) => (/drill-/.test(url) ? 403 : "pass")
    assert.deepEqual(await stores(true), [onHost, ["newest backup in s3", "unknown"]])
  })

  it("of one service are made after one of all, and take nothing from the next one of all, nor from latest", async () => {
    sql(place, "create database closed allow_connections false")
    const first = open(place)
    const full = await backup(first)
    assert.match(first.said.join("\n"), /postgres: database "closed" is not in the backup/)
    sql(place, "drop database closed")
    await backup(open(place), { services })
    assert.equal((await checkBackupAge(open(place), 3_600_000))[0]?.state, "ok")
    sql(place, "delete from notes where i > 10")
    await assert.rejects(backup(open(place)), {
      code: "rows-lost",
      message: new RegExp(`postgres/healthcare has .* in its last proven backup \\(${full.manifest.id}\\)`),
    })
    const tools = open(place)
    const back = await restore(tools)
    assert.deepEqual([back.backupId, back.rows, back.keys], [full.manifest.id, 100, 4])
    assert.match(tools.said.join("\n"), /newer ones hold some services only: backup-\S+ \(dragonfly\)/)
  })

  it("say what a server no longer has, whose data directory is full all the same", async () => {
    const missing = async () => {
      const { status, exitCode, dataPresent, dataMissing, checks } = await checkInfra(open(place))
      const found = checks.find(({ name }) => name === "postgres: databases")
      // What the restore before has put aside is there as well.
      const detail = found?.detail.replaceAll(/, "\w+__old_\w+"/g, "")
      return { status, exitCode, dataPresent, dataMissing, state: found?.state, detail }
    }
    const healthy = { status: "healthy", dataPresent: true } as const
    sql(place, "create database records")
    const { manifest } = await backup(open(place), { services: ["postgres"] })
    const because = `held by the last proven backup on the host, ${manifest.id}`
    const detail = `"healthcare", "postgres", "records", ${because}`
    assert.deepEqual(await missing(), { ...healthy, exitCode: 0, dataMissing: false, state: "ok", detail })
    const lost = `missing: "records", ${because}; the server has "healthcare", "postgres"`
    const lacking = { ...healthy, exitCode: 1, dataMissing: true, state: "warning", detail: lost }
    // As a drop that was cut off leaves it.
    sql(place, "update pg_database set datconnlimit = -2 where datname = 'records'")
    assert.deepEqual(await missing(), lacking)
    sql(place, "drop database records")
    assert.deepEqual(await missing(), lacking)
    // The next backup is what counts from then on.
    await backup(open(place), { services: ["postgres"] })
    assert.equal((await missing()).state, "ok")

    // The app's only one, before there is any backup.
    const metadata = `${open(place).layout.backups}/metadata`
    renameSync(metadata, `${metadata}.aside`)
    sql(place, "alter database healthcare rename to elsewhere", "postgres")
    const initial = `missing: "healthcare", named in POSTGRES_DB; the server has "elsewhere", "postgres"`
    assert.deepEqual(await missing(), { ...lacking, detail: initial })
    sql(place, "alter database elsewhere rename to healthcare", "postgres")
    renameSync(`${metadata}.aside`, metadata)
    assert.equal((await missing()).state, "ok")
  })

  it("prove a destructive step only of this run's own data, as it is stored now, and for some hours", async () => {
    const tools = open(place)
    const data = await dataServices(tools)
    const { manifest } = await backup(tools)
    assert.deepEqual(await proveBackup(tools, manifest.id, data), manifest)
    const refused = (message: RegExp, one: Tools = tools, id = manifest.id) =>
      assert.rejects(proveBackup(one, id, data), { kind: "refused", code: "backup-not-proven", message })
    await refused(/was made by run test, not by this one/, { ...tools, run: { ...tools.run, id: "other" } })
    const later = new Date(Date.parse(manifest.created) + 6 * 3_600_000 + 1000)
    await refused(/is 6h 0m old, more than 6h 0m/, { ...tools, clock: { ...tools.clock, now: () => later } })
    await refused(/does not hold service postgres/, tools, (await backup(tools, { services })).manifest.id)

    const path = `${tools.layout.backups}/metadata/${manifest.id}.json`
    const text = readFileSync(path, "utf8")
    writeFileSync(path, text.replace(/("systemIdentifier": ")\d/, "$19"))
    await refused(/of another database cluster: 9/)
    writeFileSync(path, text)
    const dump = `${tools.layout.backups}/${manifest.services.find(({ service }) => service === "postgres")?.artifacts[0]?.file}`
    const bytes = readFileSync(dump)
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    writeFileSync(dump, bytes)
    await refused(/is damaged: .*SHA-256/)
  })

  it("have a second of their own, whoever has taken it already, on the host or in S3", async () => {
    const tools = open(place)
    await using s3 = await inFront(tools)
    await tools.stores[0]?.prepare(tools.work)
    const others = Array.from({ length: 8 }, (_, second) => backupId(new Date(Date.now() + second * 1000)))
    for (const [index, one] of others.entries())
      if (index % 2) await s3.plant(`${one}.json`, "{}")
      else writeFileSync(`${tools.layout.backups}/metadata/${one}.json`, "{}")
    const { manifest } = await backup(withS3(tools, s3), { services, beforeDrop: true })
    for (const one of others) rmSync(`${tools.layout.backups}/metadata/${one}.json`, { force: true })
    assert.ok(manifest.id > (others.at(-1) ?? ""), `${manifest.id} is another's`)
  })

  it("are refused when every key is gone, unless that is said to be right", async () => {
    redis(place, "flushall")
    await assert.rejects(backup(open(place), { services }), {
      code: "keys-lost",
      message: /^dragonfly has 0 keys without expiry, 3 in its last proven backup/,
      hint: /max-row-loss/,
    })
    const tools = open(place)
    const config = { ...tools.config, backup: { ...tools.config.backup, "max-row-loss": 1 } }
    assert.equal((await backup({ ...tools, config }, { services })).status, "success")
  })

  it("of a new host are compared with the old one's in S3: an empty server does not become the latest backup", async () => {
    redis(place, "mset", "a", "1", "b", "2")
    const tools = open(place)
    await using s3 = await inFront(tools)
    const old = await backup(withS3(tools, s3), { services })
    assert.equal(old.status, "success")
    const keys = await s3.keys()
    for (const folder of ["metadata", "dragonfly"]) rmSync(`${tools.layout.backups}/${folder}`, { recursive: true })
    redis(place, "flushall")
    await assert.rejects(backup(withS3(tools, s3), { services }), {
      code: "keys-lost",
      message: new RegExp(`^dragonfly has 0 keys without expiry, 2 in its last proven backup \\(${old.manifest.id}\\)`),
    })
    assert.deepEqual(await s3.keys(), keys)

    // The same while S3, not required, is down.
    s3.proxy.fault = () => "refuse"
    const down = withS3(tools, s3)
    await assert.rejects(backup(down, { services }), {
      kind: "refused",
      code: "earlier-unknown",
      message:
        /^this host has no backup of dragonfly, and S3, which may have one, cannot be asked: S3 cannot be reached/,
      hint: /max-row-loss/,
    })
    assert.deepEqual((await tools.stores[0]?.list())?.backups, [])
    const config = { ...down.config, backup: { ...down.config.backup, "max-row-loss": 1 } }
    assert.equal((await backup({ ...down, config }, { services })).status, "partial")
    redis(place, "set", "c", "3")
    assert.equal((await backup(down, { services })).status, "partial")
    assert.match(
      down.said.join("\n"),
      /S3, which may have a newer backup to compare with, cannot be asked: S3 cannot be/,
    )
  })

  it("of a host that was rolled back are compared with the newer ones in S3: its old data does not become the latest", async () => {
    const only = { services: ["postgres"] }
    const tools = open(place)
    await using s3 = await inFront(tools)
    const old = await backup(withS3(tools, s3), only)
    sql(place, "insert into notes select generate_series(1, 1000)")
    const newer = await backup(withS3(tools, s3), only)
    const keys = await s3.keys()
    // As a snapshot of the machine has it that was taken between the two.
    await tools.stores[0]?.remove(newer.manifest, tools.work)
    sql(place, "delete from notes; insert into notes select generate_series(1, 10)")
    await assert.rejects(backup(withS3(tools, s3), only), {
      code: "rows-lost",
      message: new RegExp(`postgres/healthcare has 10 rows, \\d+ in its last proven backup \\(${newer.manifest.id}\\)`),
    })
    assert.deepEqual(await s3.keys(), keys)
    const held = (await tools.stores[0]?.list())?.backups.map(({ manifest }) => manifest.id)
    assert.ok(held?.includes(old.manifest.id) && held.every((id) => id <= old.manifest.id), held?.join())
  })
})

/** An S3 of its own behind a proxy, for the directory of a stack's backups. */
function inFront({ host, layout, config }: Tools): Promise<S3Ground> {
  const { project, environment } = config
  return s3Ground({
    host,
    directory: layout.backups,
    notes: `${layout.state}/uploads`,
    project,
    environment,
    transfer: "host",
  })
}

function withS3<T extends Tools>(tools: T, { store, options }: S3Ground, { required = false } = {}): T {
  const { bucket, region } = options
  const s3 = { ...tools.config.backup.s3, enabled: true, required, bucket, region }
  return {
    ...tools,
    stores: [...tools.stores, store],
    config: {
      ...tools.config,
      backup: { ...tools.config.backup, s3: s3 as NonNullable<typeof tools.config.backup.s3> },
    },
  }
}
