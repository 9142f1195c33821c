import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import type { Artifact, Manifest } from "../../src/core/manifest.ts"
import type { Work } from "../../src/host/work.ts"
import type { BackupStore } from "../../src/storage/backup-store.ts"
import { keysOf, manifestOf, recordOf } from "../support/manifests.ts"

/** A store over an empty backup directory, as every test of the suite gets it. */
export interface StoreGround extends AsyncDisposable {
  readonly store: BackupStore
  readonly work: Work
  /** The directory of backups on the host. */
  readonly directory: string
  /** Changes a byte of what the store itself holds of a file. */
  damage(file: string): Promise<void>
  /** Takes away what the store itself holds of a file. */
  lose(file: string): Promise<void>
  /** Puts a manifest's text where the store keeps manifests. */
  plant(name: string, text: string | Buffer): Promise<void>
}

/** Writes artifacts as drivers leave them, and gives the manifest of a backup of them. */
export function makeBackup(
  directory: string,
  { id = "backup-20261121-030000", files = { "dragonfly/cache-1.rdb": Buffer.from("some keys") } }: MakeOptions = {},
): Manifest {
  const artifacts = Object.entries(files).map(([file, bytes]): Artifact => {
    mkdirSync(`${directory}/${file.split("/")[0]}`, { recursive: true, mode: 0o700 })
    writeFileSync(`${directory}/${file}`, bytes, { mode: 0o600 })
    const sha256 = createHash("sha256").update(bytes).digest("hex")
    return { file, role: "keys", name: file.split("/")[1] ?? file, bytes: bytes.length, sha256 }
  })
  return manifestOf(id, { services: [keysOf("cache", [], artifacts)] })
}

interface MakeOptions {
  readonly id?: string
  readonly files?: Readonly<Record<string, Buffer>>
}

/** Stores the artifacts and publishes the manifest that says where they are. */
export async function putBackup({ store, work }: StoreGround, manifest: Manifest): Promise<Manifest> {
  const { objects, tier } = await store.putArtifacts(manifest, work)
  const published: Manifest =
    store.name === "local" || tier === "sha256"
      ? manifest
      : { ...manifest, storage: { local: "success", s3: "success", tier, objects } }
  await store.putManifest(published, work)
  return published
}

/** What every backup store promises. */
export function testStore(name: string, open: () => Promise<StoreGround>): void {
  test(`${name}: a backup without a manifest does not exist`, async () => {
    await using ground = await open()
    await ground.store.probe()
    await ground.store.prepare(ground.work)
    assert.deepEqual(await ground.store.list(), { backups: [], unreadable: [] })
    const manifest = makeBackup(ground.directory)
    await ground.store.putArtifacts(manifest, ground.work)
    assert.deepEqual((await ground.store.list()).backups, [])
    await ground.store.discard(manifest, ground.work)
  })

  test(`${name}: what was put is listed, newest first, and verified; others' are not listed`, async () => {
    await using ground = await open()
    const older = await putBackup(ground, makeBackup(ground.directory, { id: "backup-20261120-235959" }))
    const files = { "dragonfly/b.rdb": Buffer.alloc(100_000, 7), "postgres/ü 'x'.dump": Buffer.from("d") }
    const newer = await putBackup(ground, makeBackup(ground.directory, { id: "backup-20261121-000000", files }))
    await ground.plant(
      "backup-20261122-000000.json",
      JSON.stringify({ ...newer, project: "other", id: "backup-20261122-000000" }),
    )
    const { backups, unreadable } = await ground.store.list()
    assert.deepEqual(
      backups.map((one) => one.manifest),
      [newer, older],
    )
    assert.deepEqual(unreadable, [])
    assert.deepEqual(await ground.store.verify(newer), [])
  })

  test(`${name}: a manifest that cannot be read is named, not dropped`, async () => {
    await using ground = await open()
    await ground.plant("backup-20261122-000000.json", '{"format": 2')
    await ground.plant("backup-20261123-000000.json", "{}")
    const { backups, unreadable } = await ground.store.list()
    assert.deepEqual(backups, [])
    assert.equal(unreadable.length, 2)
    assert.match(unreadable.join("\n"), /backup-20261122-000000\.json: .+\n.*backup-20261123-000000\.json: .+/)
  })

  test(`${name}: a byte that was damaged in one manifest is named and hides no other backup`, async () => {
    await using ground = await open()
    const manifest = await putBackup(ground, makeBackup(ground.directory))
    const text = Buffer.from(JSON.stringify({ ...manifest, id: "backup-20261122-000000" }))
    text.writeUInt8(0xff, text.indexOf("tester"))
    await ground.plant("backup-20261122-000000.json", text)
    const { backups, unreadable } = await ground.store.list()
    assert.deepEqual(
      backups.map((one) => one.manifest),
      [manifest],
    )
    assert.match(unreadable.join("\n"), /^.*backup-20261122-000000\.json: damaged/)
  })

  test(`${name}: a published backup is neither replaced nor discarded`, async () => {
    await using ground = await open()
    const manifest = await putBackup(ground, makeBackup(ground.directory))
    const other: Manifest = { ...manifest, run: { ...manifest.run, id: "2" } }
    await assert.rejects(ground.store.putManifest(other, ground.work))
    await assert.rejects(ground.store.discard(manifest, ground.work), /published and stays/)
    assert.deepEqual((await ground.store.list()).backups[0]?.manifest, manifest)
    assert.deepEqual(await ground.store.verify(manifest), [])
  })

  test(`${name}: damage is noticed and never fetched`, async () => {
    await using ground = await open()
    const manifest = await putBackup(ground, makeBackup(ground.directory))
    await ground.damage("dragonfly/cache-1.rdb")
    assert.equal((await ground.store.verify(manifest)).length, 1)
    if (ground.store.name === "s3") rmSync(`${ground.directory}/dragonfly/cache-1.rdb`)
    await assert.rejects(ground.store.fetch(manifest, ground.work))
    assert.deepEqual(
      readdirSync(`${ground.directory}/dragonfly`).filter((one) => one.endsWith(".partial")),
      [],
    )
  })

  test(`${name}: files that are missing under their manifest are told without reading any`, async () => {
    await using ground = await open()
    const files = ["dragonfly/a.rdb", "postgres/ü 'x'.dump", "postgres/-c.dump"]
    const made = Object.fromEntries(files.map((file) => [file, Buffer.from(`bytes of ${file}`)]))
    const whole = await putBackup(ground, makeBackup(ground.directory))
    const poor = await putBackup(ground, makeBackup(ground.directory, { id: "backup-20261121-040000", files: made }))
    assert.deepEqual(await ground.store.lacking([]), new Map())
    assert.deepEqual(await ground.store.lacking([whole, poor]), new Map())
    for (const file of files.slice(1)) await ground.lose(file)
    const lacking = await ground.store.lacking([whole, poor])
    assert.deepEqual([...lacking.keys()], [poor.id])
    assert.match(
      lacking.get(poor.id)?.join("\n") ?? "",
      /^.*'x'\.dump(\.gpg)? is missing\n.*-c\.dump(\.gpg)? is missing$/,
    )
    await ground.lose("dragonfly/cache-1.rdb")
    assert.equal((await ground.store.lacking([whole])).size, 1)
  })

  test(`${name}: a fetched file has the bytes and the modes that it had`, async () => {
    await using ground = await open()
    const manifest = await putBackup(ground, makeBackup(ground.directory))
    if (ground.store.name === "s3") rmSync(`${ground.directory}/dragonfly`, { recursive: true })
    await ground.store.fetch(manifest, ground.work)
    const path = `${ground.directory}/dragonfly/cache-1.rdb`
    assert.equal(readFileSync(path, "utf8"), "some keys")
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(`${ground.directory}/dragonfly`).mode & 0o777, 0o700)
  })

  test(`${name}: what was removed is gone, and nothing else is`, async () => {
    await using ground = await open()
    const first = await putBackup(ground, makeBackup(ground.directory))
    const files = { "dragonfly/cache-2.rdb": Buffer.from("more") }
    const second = await putBackup(ground, makeBackup(ground.directory, { id: "backup-20261121-040000", files }))
    await ground.store.remove(first, ground.work)
    assert.deepEqual(
      (await ground.store.list()).backups.map((one) => one.manifest.id),
      [second.id],
    )
    assert.equal((await ground.store.verify(first)).length, 1)
    assert.deepEqual(await ground.store.verify(second), [])
    await ground.store.remove(first, ground.work)
  })

  test(`${name}: records of drills lie beside the manifests, are no backups, and are never replaced`, async () => {
    await using ground = await open()
    const manifest = await putBackup(ground, makeBackup(ground.directory))
    assert.deepEqual(await ground.store.drills(), { records: [], unreadable: [] })
    const first = recordOf(manifest.id, "drill-20261121-040000")
    const second = recordOf(manifest.id, "drill-20261121-050000")
    for (const record of [second, first]) await ground.store.recordDrill(record, ground.work)
    await assert.rejects(ground.store.recordDrill({ ...first, reason: "other" }, ground.work))
    await ground.store.recordDrill({ ...recordOf("x", "drill-20261121-060000"), project: "other" }, ground.work)
    await ground.plant("drill-20261121-070000-shop.test.json", "{}")
    await ground.plant("drill-20261121-080000-other.test.json", "not even looked at")
    const { records, unreadable } = await ground.store.drills()
    assert.deepEqual(records, [second, first])
    assert.equal(unreadable.length, 1)
    assert.match(unreadable.join(), /^.*drill-20261121-070000-shop\.test\.json: .+/)
    assert.deepEqual(
      (await ground.store.list()).backups.map((one) => one.manifest),
      [manifest],
    )
  })

  test(`${name}: a manifest that names files elsewhere is refused`, async () => {
    await using ground = await open()
    const manifest = makeBackup(ground.directory)
    const [service] = manifest.services
    const [artifact] = service?.artifacts ?? []
    assert(service && artifact)
    const foreign = { ...manifest, services: [{ ...service, artifacts: [{ ...artifact, file: "../../etc/passwd" }] }] }
    await assert.rejects(ground.store.remove(foreign, ground.work), /outside of the backup directory/)
    await assert.rejects(ground.store.fetch(foreign, ground.work), /outside of the backup directory/)
  })
}
