import assert from "node:assert/strict"
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type DrillGround, drillGround } from "../support/drill-ground.ts"

describe("a drill of a backup that is damaged, or only older than what is expected of it", () => {
  let ground: DrillGround
  let id: string
  let backups: string
  before(async () => {
    ground = await drillGround(34)
    backups = ground.backups
    await ground.sql(`create table orders (patient int); insert into orders values (999999);
      alter table orders add constraint of_old foreign key (patient) references patients not valid`)
    id = await ground.backUp()
  })
  after(() => ground[Symbol.asyncDispose]())

  /** Restores a file of the backup directory to what it is now when the scope ends. */
  function keep(path: string): Disposable {
    const copy = `${path}.kept`
    copyFileSync(path, copy)
    return { [Symbol.dispose]: () => copyFileSync(copy, path) }
  }

  test("what today's configuration expects and the backup never held is told, and disproves nothing", async () => {
    using _kept = keep(ground.config)
    const config = JSON.parse(readFileSync(ground.config, "utf8"))
    config.services.postgres = {
      databases: ["healthcare", "since"],
      "critical-tables": ["public.patients", "public.since"],
      "sample-queries": ["select * from since"],
    }
    writeFileSync(ground.config, JSON.stringify(config))
    const run = await ground.act("drill")
    assert.deepEqual([run.code, run.outputs["drill-status"]], [0, "success"], run.log)
    const [record] = ground.records()
    assert.deepEqual([record?.result, record?.proven, record?.reason], ["success", "restored", ""])
    const warned = record?.services.flatMap(({ checks }) => checks.filter(({ state }) => state !== "ok"))
    assert.deepEqual(
      warned?.map(({ name, state }) => [name, state]),
      ["table public.since", "foreign keys", "sample query 1"].map((name) => [`drill-postgres ${name}`, "warning"]),
    )
    assert.match(run.log, /table public\.since: does not exist; the backup was made so/)
    assert.match(run.summary, /table public\.since: warning/)
    const { outputs } = await ground.act("backups")
    assert.deepEqual([outputs.status, outputs.reason], ["success", "done"])
  })

  test("a damaged file fails the drill, which says so; the other store's copy does not stand in for it", async () => {
    const file = readdirSync(join(backups, "postgres")).find((name) => name.includes("healthcare"))
    const path = join(backups, "postgres", file ?? "")
    using _kept = keep(path)
    const bytes = readFileSync(path)
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const run = await ground.act("drill")
    assert.equal(run.code, 1, run.log)
    assert.deepEqual(
      [run.outputs.status, run.outputs.reason, run.outputs["drill-status"], run.outputs["rto-seconds"]],
      ["failed", "drill-failed", "failed", "-1"],
    )
    assert.match(run.log, /The local copy of backup-\S+ is not proven: .*not what their manifest says.*SHA-256/s)
    const record = ground.records().at(-1)
    assert.deepEqual([record?.result, record?.rtoSeconds, record?.proven], ["failed", null, undefined])
    const listed = await ground.act("backups")
    assert.deepEqual([listed.outputs.status, listed.outputs.reason], ["partial", "problems-found"])
    assert.match(listed.log, /local: the last drill of backup-\S+, of \S+, failed: .*not what their manifest says/)
    assert.deepEqual(await ground.leftovers(), [])
    const other = await ground.act("drill", { source: "s3" })
    assert.equal(other.code, 0, other.log)
  })

  for (const [what, change, told] of [
    ["counts of rows", (text) => text.replace('"rows": 500', '"rows": 501'), /patients rows: 500 instead of 501/],
    ["counts of keys", (text) => text.replace('"keys": 100,', '"keys": 99,'), /holds 101 keys, its manifest says 100/],
    [
      "checksums",
      (text) =>
        text.replace(/("rows": 500,\s+"checksum": "-?)(\d)/, (_all, head, digit) => head + ((Number(digit) + 1) % 10)),
      /public\.patients: other content than its checksum/,
    ],
  ] as readonly (readonly [string, (text: string) => string, RegExp])[]) {
    test(`${what} that are not the manifest's fail the drill, and nothing of it stays`, async () => {
      const path = join(backups, "metadata", `${id}.json`)
      using _kept = keep(path)
      const text = readFileSync(path, "utf8")
      assert.notEqual(change(text), text)
      writeFileSync(path, change(text))
      const run = await ground.act("drill")
      assert.equal(run.code, 1, run.log)
      assert.match(ground.records().at(-1)?.reason ?? "", told)
      assert.deepEqual(await ground.leftovers(), [])
    })
  }

  test("each backup is drilled, and one that is damaged does not end the drill of the others", async () => {
    const later = await ground.backUp()
    const file = readdirSync(join(backups, "dragonfly")).sort().at(-1) ?? ""
    using _kept = keep(join(backups, "dragonfly", file))
    writeFileSync(join(backups, "dragonfly", file), "Some keys")
    const known = ground.records().length
    const newest = await ground.act("drill", { "backup-id": "each", newest: "1" })
    assert.equal(newest.code, 1, newest.log)
    assert.equal(ground.records().length, known + 1)
    const run = await ground.act("drill", { "backup-id": "each" })
    assert.equal(run.code, 1, run.log)
    assert.deepEqual(
      ground
        .records()
        .slice(known + 1)
        .map((one) => [one.backup, one.result]),
      [
        [later, "failed"],
        [id, "success"],
      ],
    )
    assert.deepEqual([run.outputs["rto-seconds"], run.outputs["backup-id"]], ["-1", later])
    assert.match(run.summary, /: failed; never usable[\s\S]*: success; usable after/)
  })
})
