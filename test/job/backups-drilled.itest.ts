import assert from "node:assert/strict"
import { test } from "node:test"
import { planWork } from "../../src/host/plan-work.ts"
import { applyRetention } from "../../src/job/apply-retention.ts"
import { listBackups } from "../../src/job/list-backups.ts"
import { repairCopies } from "../../src/job/repair-copies.ts"
import type { Tools } from "../../src/job/tools.ts"
import { s3Ground } from "../storage/s3-ground.ts"
import { recordOf } from "../support/manifests.ts"
import { drillsOf, ids, jobGround } from "../support/two-stores-ground.ts"

const [, second = "", third = "", newest = ""] = ids

test("a copy whose last drill failed is not proven: it takes no good one's place, is not copied, and is not the newest", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await jobGround(s3)
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
  const ground = await jobGround(s3)
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
