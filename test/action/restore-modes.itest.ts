import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { after, before, describe, it } from "node:test"
import { undoRestore } from "../../src/job/undo-restore.ts"
import { serviceDrivers } from "../../src/service/service-drivers.ts"
import { stackTools } from "../support/stack-tools.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"

const slot = 5
const cli = new URL("../../actions/cli/main.ts", import.meta.url).pathname

describe("restore, undo and clean on a stack", () => {
  let place: StackPlace
  const directory = mkdtempSync(join(tmpdir(), "t-pgx-"))
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    const lines = [
      `project: ${place.project}`,
      `host: { address: local, directory: ${place.baseDir} }`,
      "compose: { files: [docker-compose.prod.yml, docker-compose.override.yml] }",
      "backup: { verify: checksum }",
    ]
    writeFileSync(join(directory, "infra.yml"), `${lines.join("\n")}\n`)
    sql("create table notes as select generate_series(1, 5) i")
  })
  after(async () => {
    rmSync(directory, { recursive: true })
    await removeStack({ slot })
  })

  const sql = (text: string) =>
    execFileSync(
      "docker",
      [
        "exec",
        `${place.project}-postgres-1`,
        "sh",
        "-c",
        'psql -qAtX -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$1"',
        "sh",
        text,
      ],
      { encoding: "utf8" },
    ).trim()
  const inKeys = (...words: readonly string[]) =>
    execFileSync("docker", ["exec", `${place.project}-dragonfly-1`, ...words], { encoding: "utf8" }).trim()
  const redis = (...words: readonly string[]) => inKeys("sh", "-c", 'exec redis-cli "$@"', "sh", ...words)
  const kept = () => inKeys("sh", "-c", "ls -d /data/.pre-restore-* 2>/dev/null || :")
  const run = (...words: readonly string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [cli, ...words, "--json"], {
      cwd: directory,
      encoding: "utf8",
    })
    return { outputs: JSON.parse(stdout), log: stderr, status }
  }
  const good = (...words: readonly string[]) => {
    const done = run(...words)
    assert.equal(done.status, 0, done.log)
    return done
  }
  const rows = () => sql("select count(*) from notes")
  const replaced = () => sql("select count(*) from pg_database where datname ~ '__old_'")

  it("has nothing to take back at first", () => {
    const { outputs, status } = run("restore", "--mode", "undo", "--services", "postgres")
    assert.notEqual(status, 0)
    assert.deepEqual([outputs.status, outputs.reason], ["refused", "nothing-to-undo"])
  })

  it("takes a restore back, with a dry run that changes nothing", () => {
    good("backup")
    sql("insert into notes values (6)")
    good("restore", "--services", "postgres")
    assert.equal(rows(), "5")
    const dry = good("restore", "--mode", "undo", "--services", "postgres", "--dry-run")
    assert.equal(dry.outputs.reason, "dry-run")
    assert.equal(rows(), "5")
    const done = good("restore", "--mode", "undo")
    assert.match(done.log, /dragonfly: left as they are/)
    assert.equal(rows(), "6")
    assert.equal(done.outputs["restore-status"], "success")
  })

  it("takes databases and keys of one restore back together, or neither", async () => {
    redis("set", "key", "backed up")
    good("backup")
    redis("set", "key", "newer")
    sql("insert into notes values (7)")
    const state = () => [rows(), redis("get", "key")].join()
    const newer = state()
    good("restore")
    assert.equal(state(), "6,backed up")
    good("restore", "--mode", "undo", "--dry-run")
    assert.equal(state(), "6,backed up")
    const tools = stackTools(place, { drivers: serviceDrivers() })
    const later = { ...tools, clock: { ...tools.clock, now: () => new Date(Date.now() + 86_401_000) } }
    await assert.rejects(undoRestore(later), { code: "undo-old", hint: /force: true/ })
    assert.equal(state(), "6,backed up")
    const done = good("restore", "--mode", "undo")
    assert.equal(state(), newer)
    assert.match(done.log, /keys of dragonfly as before the restore of/)
    assert.match(done.log, /of postgres as before the restore of/)
    good("restore", "--mode", "undo")
    assert.equal(state(), "6,backed up")
    // The keys come first; Postgres refuses then.
    sql("create subscription s connection 'host=db.invalid' publication p with (connect = false)")
    sql("alter subscription s enable")
    const { outputs } = run("restore", "--mode", "undo")
    assert.deepEqual([outputs.status, outputs.reason], ["refused", "postgres-replication"])
    assert.equal(state(), "6,backed up")
    sql("alter subscription s disable")
    sql("alter subscription s set (slot_name = none)")
    sql("drop subscription s")
    good("restore", "--mode", "undo")
    assert.equal(state(), newer)
  })

  it("removes replaced data only after a later proven backup", () => {
    const before = replaced()
    const keys = kept()
    assert.notEqual(before, "0")
    assert.notEqual(keys, "")
    const backups = join(place.baseDir, "backups")
    const [dump = ""] = readdirSync(join(backups, "dragonfly"))
    const damaged = `dragonfly/${dump}.damaged.1600000000`
    const foreign = "postgres/other.dump.damaged.1600000000"
    const half = "postgres/other.dump.partial"
    for (const file of [damaged, foreign, half]) writeFileSync(join(backups, file), "damaged")
    const left = JSON.parse(good("backups").outputs.left) as readonly Record<string, unknown>[]
    const named = new Map(left.map((one) => [one.name, one]))
    for (const name of [...keys.split("\n").map((path) => basename(path)), damaged])
      assert.deepEqual([named.get(name)?.removal, Number(named.get(name)?.bytes) > 0], ["clean", true], name)
    assert.equal(left.filter(({ name }) => /__old_/.test(String(name))).length, Number(before))
    assert.equal(named.get(half)?.removal, "next-backup")
    assert.equal(named.get(foreign)?.removal, "by-hand")
    const { outputs } = run("restore", "--mode", "clean", "--replaced-older-than", "0s")
    assert.deepEqual([outputs.status, outputs.reason], ["refused", "backup-not-proven"])
    good("backup")
    good("restore", "--mode", "clean")
    assert.deepEqual([replaced(), kept()], [before, keys], "they are not 14 days old")
    const unheld = `"billing__old_0a1b2c3d"`
    const mark = { "infra-actions": "replaced", name: "billing", at: "2026-01-01T00:00:00Z" }
    sql(`create database ${unheld}`)
    sql(`comment on database ${unheld} is '${JSON.stringify(mark)}'`)
    const cleaned = good("restore", "--mode", "clean", "--replaced-older-than", "0s")
    assert.deepEqual([replaced(), kept()], ["1", ""])
    assert.match(cleaned.log, /"billing__old_0a1b2c3d" .* stays: the newest proven backup has no database "billing"/)
    sql(`drop database ${unheld}`)
    assert.deepEqual(
      [damaged, foreign].map((file) => existsSync(join(backups, file))),
      [false, true],
      "only what a good copy has taken the place of",
    )
    assert.deepEqual([rows(), redis("get", "key")], ["7", "newer"])
    const { outputs: none } = run("restore", "--mode", "undo")
    assert.deepEqual([none.status, none.reason], ["refused", "nothing-to-undo"])
  })
})
