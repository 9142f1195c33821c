import assert from "node:assert/strict"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { planWork } from "../../src/host/plan-work.ts"
import { applyRetention } from "../../src/job/apply-retention.ts"
import { listBackups } from "../../src/job/list-backups.ts"
import { repairCopies } from "../../src/job/repair-copies.ts"
import { bringLocal, findBackup } from "../../src/job/stores.ts"
import type { Tools } from "../../src/job/tools.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { s3Ground } from "../storage/s3-ground.ts"
import { drillsOf, ids, type JobGround, jobGround } from "../support/two-stores-ground.ts"

const [, second = "", third = "", newest = ""] = ids

async function syncs({ tools }: JobGround): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await listBackups(tools)).entries.map(({ id, sync }) => [id, sync]))
}

test("the list shows where each backup is, and a repair puts missing copies into both stores", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
  await ground.make(second, "both")
  await ground.make(third, "local")
  await ground.make(newest, "both")
  const file = `${s3.directory}/dragonfly/cache-${second}.rdb`
  rmSync(`${s3.directory}/metadata/${second}.json`)
  rmSync(file)
  assert.deepEqual(await syncs(ground), { [newest]: "in-sync", [third]: "local-only", [second]: "s3-only" })

  const repaired = await repairCopies(ground.tools, await drillsOf(ground.tools))
  assert.deepEqual(repaired, [
    { id: third, store: "s3", failure: undefined },
    { id: second, store: "local", failure: undefined },
  ])
  assert.deepEqual(await syncs(ground), { [newest]: "in-sync", [third]: "in-sync", [second]: "in-sync" })
  assert.equal(readFileSync(file, "utf8"), `keys of ${second}`)
  const { entries, problems } = await listBackups(ground.tools, { verify: true })
  assert.deepEqual(problems, [])
  for (const { copies } of entries)
    assert.deepEqual(
      copies.map(({ store, proven, problems: found }) => [store, proven, found]),
      [
        ["local", "sha256", []],
        ["s3", "etag", []],
      ],
    )
  assert.deepEqual(await repairCopies(ground.tools, await drillsOf(ground.tools)), [])
})

test("a copy that was repaired is found again when the local files are gone, though the local manifest knows nothing of it", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
  await ground.make(newest, "local")
  await repairCopies(ground.tools, await drillsOf(ground.tools))
  rmSync(`${s3.directory}/dragonfly/cache-${newest}.rdb`)
  const found = await findBackup(ground.tools, "latest", "auto")
  assert.equal(await bringLocal(ground.tools, found), "s3")
  assert.equal(readFileSync(`${s3.directory}/dragonfly/cache-${newest}.rdb`, "utf8"), `keys of ${newest}`)
})

test("what is damaged here is not copied there, and what cannot be repaired stays missing and is told", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
  await ground.make(third, "local")
  writeFileSync(`${s3.directory}/dragonfly/cache-${third}.rdb`, "other bytes")
  const [report] = await repairCopies(ground.tools, await drillsOf(ground.tools))
  assert.match(report?.failure ?? "", /not what their manifest says/)
  assert.deepEqual(await s3.keys(), [])
  assert.match(ground.warnings.join("\n"), /missing copy of backup-20251120-030000 could not be made/)
  const { problems } = await listBackups(ground.tools, { verify: true })
  assert.match(problems.join("\n"), /local: backup-20251120-030000: .*(bytes instead|SHA-256 differs)/)
})

test("retention does not bring back what it removes", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
  await ground.make(second, "local")
  await ground.make(newest, "both")
  const retention = { last: 1, daily: 0, weekly: 0, monthly: 0 }
  const tools: Tools = {
    ...ground.tools,
    config: { ...ground.tools.config, backup: { ...ground.tools.config.backup, retention } },
  }
  assert.deepEqual(await repairCopies(tools, await drillsOf(tools)), [])
})

test("a prune in a dry run removes nothing and says what it would; then it removes just that from each store", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
  for (const id of ids) await ground.make(id, "both")
  const retention = { last: 2, daily: 0, weekly: 0, monthly: 0 }
  const tools: Tools = {
    ...ground.tools,
    config: { ...ground.tools.config, backup: { ...ground.tools.config.backup, retention } },
  }
  // While a date shows a wrong clock nothing goes, and that is told.
  const ahead = "backup-20990101-030000"
  await ground.make(ahead, "both")
  for (const one of await applyRetention(tools, await drillsOf(tools)))
    assert.deepEqual([one.removed, one.failure], [[], undefined])
  assert.match(ground.warnings.join("\n"), /local: nothing is removed: .*s3: nothing is removed: .*clock is wrong/s)
  const { entries, problems } = await listBackups(tools)
  assert.equal(problems.filter((one) => /clock is wrong/.test(one)).length, 2)
  assert(entries.every(({ copies }) => copies.every(({ reasons }) => reasons.includes("clock"))))
  for (const store of tools.stores)
    for (const { manifest } of (await store.list()).backups)
      if (manifest.id === ahead) await store.remove(manifest, s3.work)
  const later = await applyRetention(
    { ...tools, work: planWork({ id: "t", log: () => {} }) },
    await drillsOf(tools),
    ids[2],
  )
  assert(later.every(({ removed }) => removed.length === 0))

  const shown: string[] = []
  const dry = await applyRetention(
    { ...tools, work: planWork({ id: "t", log: (line) => shown.push(line) }) },
    await drillsOf(tools),
  )
  assert.deepEqual(
    dry.map(({ removed }) => removed.length),
    [2, 2],
  )
  assert.match(shown.join("\n"), /backup-20251118-030000/)
  assert.equal((await listBackups(tools)).entries.length, 4)
  const done = await applyRetention(tools, await drillsOf(tools))
  assert.deepEqual(
    done.map(({ store, removed, failure }) => [store, removed, failure]),
    [
      ["local", [second, ids[0]], undefined],
      ["s3", [second, ids[0]], undefined],
    ],
  )
  assert.deepEqual(await syncs(ground), { [newest]: "in-sync", [third]: "in-sync" })
  assert.equal((await s3.keys()).length, 4)
})

test("a store that cannot be listed is told, its backups are unknown and not missing; nothing is repaired", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
  await ground.make(newest, "both")
  const unreachable = s3Store({ ...s3.options, endpoint: "http://127.0.0.1:9" })
  const tools: Tools = { ...ground.tools, stores: [ground.tools.stores[0] as Tools["stores"][0], unreachable] }
  const { entries, problems } = await listBackups(tools)
  assert.deepEqual(
    entries.map(({ sync }) => sync),
    ["unknown"],
  )
  assert.match(problems.join("\n"), /s3 could not be listed: .*cannot be reached/)
  assert.deepEqual(await repairCopies(tools, await drillsOf(tools)), [])
  assert.match(ground.warnings.join("\n"), /Missing copies could not be looked for/)
})
