import assert from "node:assert/strict"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import type { Manifest } from "../../src/core/manifest.ts"
import { planWork } from "../../src/host/plan-work.ts"
import { applyRetention } from "../../src/job/apply-retention.ts"
import { knownDrills } from "../../src/job/known-drills.ts"
import { listBackups } from "../../src/job/list-backups.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { repairCopies } from "../../src/job/repair-copies.ts"
import { bringLocal, findBackup } from "../../src/job/stores.ts"
import type { Tools } from "../../src/job/tools.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "../storage/s3-ground.ts"
import { recordOf } from "../support/manifests.ts"
import { stackTools } from "../support/stack-tools.ts"

const ids = [18, 19, 20, 21].map((day) => `backup-202511${day}-030000`)
const [, second = "", third = "", newest = ""] = ids

interface JobGround {
  readonly tools: Tools
  readonly s3: S3Ground
  readonly warnings: string[]
  make(id: string, where: "local" | "both"): Promise<Manifest>
}

/** A job's tools over a real local store and a real S3 store, at a fixed time. */
async function open(s3: S3Ground): Promise<JobGround> {
  const { directory, host, work } = s3
  const local = localStore({ host, directory, project: "shop", environment: "test" })
  const base = stackTools({ project: "shop", baseDir: directory }, { host, work })
  const warnings: string[] = []
  const retention = { last: 0, daily: 7, weekly: 0, monthly: 0 }
  const tools: Tools = {
    ...base,
    config: {
      ...base.config,
      backup: { ...base.config.backup, retention },
      thresholds: { ...base.config.thresholds, "disk-free": 0 },
    },
    layout: { ...base.layout, backups: directory },
    stores: [local, s3.store],
    log: { ...silentLogger, warning: (line) => warnings.push(line) },
    clock: { ...base.clock, now: () => new Date("2025-11-21T04:00:00Z") },
  }
  return {
    tools,
    s3,
    warnings,
    async make(id, where) {
      const files = { [`dragonfly/cache-${id}.rdb`]: Buffer.from(`keys of ${id}`) }
      const manifest = makeBackup(directory, { id, files })
      const stored = where === "both" ? await putBackup(s3, manifest) : manifest
      await local.putManifest(stored, work)
      return stored
    },
  }
}

const drillsOf = (tools: Tools) => knownDrills(tools, tools.stores)

async function syncs({ tools }: JobGround): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await listBackups(tools)).entries.map(({ id, sync }) => [id, sync]))
}

test("the list shows where each backup is, and a repair puts missing copies into both stores", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await open(s3)
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
  const ground = await open(s3)
  await ground.make(newest, "local")
  await repairCopies(ground.tools, await drillsOf(ground.tools))
  rmSync(`${s3.directory}/dragonfly/cache-${newest}.rdb`)
  const found = await findBackup(ground.tools, "latest", "auto")
  assert.equal(await bringLocal(ground.tools, found), "s3")
  assert.equal(readFileSync(`${s3.directory}/dragonfly/cache-${newest}.rdb`, "utf8"), `keys of ${newest}`)
})

test("what is damaged here is not copied there, and what cannot be repaired stays missing and is told", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await open(s3)
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
  const ground = await open(s3)
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
  const ground = await open(s3)
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

test("a copy whose last drill failed is not proven: it takes no good one's place, is not copied, and is not the newest", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await open(s3)
  for (const id of [second, third]) await ground.make(id, "both")
  await ground.make(newest, "local")
  const [local] = ground.tools.stores
  await local?.recordDrill({ ...recordOf(newest, "drill-20251121-033000"), result: "failed", reason: "cut" }, s3.work)
  const retention = { last: 1, daily: 0, weekly: 0, monthly: 0 }
  const tools: Tools = {
    ...ground.tools,
    config: { ...ground.tools.config, backup: { ...ground.tools.config.backup, retention } },
  }
  assert.deepEqual(await repairCopies(tools, await drillsOf(tools)), [])
  const reports = await applyRetention(tools, await drillsOf(tools))
  assert.deepEqual(
    reports.map(({ store, removed, failure }) => [store, removed, failure]),
    [
      ["local", [second], undefined],
      ["s3", [second], undefined],
    ],
  )
  assert.deepEqual(
    reports[0]?.decisions.map(({ reasons }) => reasons),
    [["unproven"], ["last", "newest-proven"], ["outside-policy"]],
  )
  const { entries, problems } = await listBackups(tools)
  assert.deepEqual(
    entries.map(({ copies }) => copies.map(({ proven }) => proven)),
    [["unproven"], ["sha256", "etag"]],
  )
  assert.match(problems.join("\n"), /local: the last drill of backup-20251121-030000, of .*, failed: cut/)
})

test("what a drill showed counts where only S3 knows of it, each record is read once, and untold nothing goes there", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await open(s3)
  for (const id of [third, newest]) await ground.make(id, "both")
  const good = { ...recordOf(third, "drill-20251120-040000"), source: "s3" as const }
  const bad = { ...recordOf(newest, "drill-20251121-033000"), source: "s3" as const, result: "failed" as const }
  await ground.tools.stores[0]?.recordDrill(good, s3.work)
  for (const record of [good, bad]) await s3.store.recordDrill(record, s3.work)
  const retention = { last: 1, daily: 0, weekly: 0, monthly: 0 }
  const tools: Tools = {
    ...ground.tools,
    config: { ...ground.tools.config, backup: { ...ground.tools.config.backup, retention } },
  }
  s3.proxy.seen.length = 0
  const drills = await drillsOf(tools)
  assert.deepEqual(drills.records, [bad, good])
  const read = s3.proxy.seen.filter((one) => /^GET .*metadata\/drill-/.test(one))
  assert.equal(read.length, 1, read.join())

  s3.proxy.fault = (_method, url) => (/drill-/.test(url) ? 403 : "pass")
  const untold = await drillsOf(tools)
  assert.deepEqual([[...untold.untold], untold.records], [["s3"], [good]])
  const dry = { ...tools, work: planWork({ id: "t", log: () => {} }) }
  const [, there] = await applyRetention(dry, untold)
  assert.deepEqual([there?.store, there?.removed], ["s3", []])
  assert.match(there?.failure ?? "", /what drills have shown is not known: s3: .*S3 denied/)
  assert.deepEqual(await repairCopies(tools, untold), [])
  s3.proxy.fault = () => "pass"

  const reports = await applyRetention(tools, drills)
  assert.deepEqual(
    reports.map(({ store, removed }) => [store, removed]),
    [
      ["local", [third]],
      ["s3", []],
    ],
  )
  const { entries } = await listBackups(tools)
  assert.deepEqual(
    entries.map(({ copies }) => copies.map(({ store, reasons }) => [store, reasons[0]])),
    [
      [
        ["local", "last"],
        ["s3", "unproven"],
      ],
      [["s3", "last"]],
    ],
  )
})

test("a store that cannot be listed is told, its backups are unknown and not missing; nothing is repaired", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await open(s3)
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
