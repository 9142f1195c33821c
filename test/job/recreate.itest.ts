import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { recreate } from "../../src/job/recreate.ts"
import { forgetStoppedApp, noteStoppedApp, readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { removeStack, resetStack, type StackPlace, testbed } from "../testbed/testbed.ts"
import {
  backupId,
  changed,
  composeFile,
  docker,
  ids,
  image,
  open,
  readCompose,
  redis,
  refusedWith,
  sql,
} from "./recreate-ground.ts"

const slot = 22

describe("recreate", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    sql(place, "create table notes as select generate_series(1, 300) n")
    redis(place, "mset", "a", "1", "b", "2", "c", "3")
  })
  after(() => removeStack({ slot }))

  it("shows in a dry run which containers change and why, with the checkout's definition, and changes nothing", async () => {
    const tools = open(place, { dryRun: true, compose: changed(place, ["shm_size: 256m", "shm_size: 320m"]) })
    const earlier = await ids(place)
    const { plan } = await recreate(tools, { backupId: await backupId(open(place)) })

    const reasons = Object.fromEntries(plan.services.map((one) => [one.service, one.reason]))
    assert.equal(reasons.postgres, "its configuration changed")
    assert.equal(reasons.dragonfly, "unchanged, as all infrastructure is replaced")
    assert.deepEqual(plan.files, ["docker-compose.prod.yml"])
    assert.match(
      plan.services.find((one) => one.service === "postgres")?.keeps.join() ?? "",
      /data in volume .*postgres_data/,
    )
    assert.match(plan.engine, /^Docker \d+.*live-restore (true|false)$/)
    assert.ok(plan.free > 0)
    assert.equal(await ids(place), earlier)
    assert.match(readCompose(place), /shm_size: 256m/)
  })

  it("replaces containers, keeps the data, and says which database to reindex", async () => {
    sql(place, "update pg_database set datcollversion = '2.00' where datname = 'healthcare'")
    const earlier = await docker("inspect", "-f", "{{.Id}}", `${place.project}-postgres-1`)
    const tools = open(place, { compose: changed(place, ["shm_size: 256m", "shm_size: 320m"]) })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.status, "recreated", result.cause)
    assert.equal(result.rung, "new-containers")
    assert.deepEqual(result.differences, [])
    assert.equal(result.advice.length, 1)
    assert.match(
      result.advice[0] ?? "",
      /REINDEX DATABASE "healthcare"; ALTER DATABASE "healthcare" REFRESH COLLATION VERSION;$/,
    )
    assert.notEqual(await docker("inspect", "-f", "{{.Id}}", `${place.project}-postgres-1`), earlier)
    assertData(place)
    sql(place, "alter database healthcare refresh collation version")
  })

  it("puts the previous images and definition back when the new ones do not serve", async () => {
    const tag = await image("t-rec/postgres:broken", "infra-testbed/postgres:17", 'ENTRYPOINT ["false"]')
    const compose = readCompose(place)
    const tools = open(place, { compose: changed(place, [postgresImage, `image: ${tag}`]) })
    const noted: unknown[] = []
    const check: typeof tools.work.check = async (name, ...more) => {
      if (name === "wait-previous-rest") noted.push((await readStoppedApp(tools))?.fingerprints)
      return tools.work.check(name, ...more)
    }
    const id = await backupId(open(place))
    const result = await recreate({ ...tools, work: { ...tools.work, check } }, { backupId: id })

    assert.equal(result.status, "rolled-back")
    assert.equal(result.rung, "previous-images")
    assert.match(result.cause ?? "", /service postgres/)
    assert.equal(readCompose(place), compose)
    assert.deepEqual(noted, [[]], "what runs again may write: nobody compares it with what it was")
    assertData(place)
  })

  it("restores this run's backup when the new image has spoilt the data, and keeps what was there", async () => {
    const spoil = 'ENTRYPOINT ["sh", "-c", "rm -f /var/lib/postgresql/data/global/pg_control; exit 1"]'
    const tag = await image("t-rec/postgres:spoils", "infra-testbed/postgres:17", spoil)
    const tools = open(place, { compose: changed(place, [postgresImage, `image: ${tag}`]) })
    const id = await backupId(open(place))
    const result = await recreate(tools, { backupId: id })

    assert.equal(result.rung, "backup", result.cause)
    assert.equal(result.status, "rolled-back")
    assert.equal(result.kept.length, 1)
    assert.equal(result.differences.length, 1)
    const kept = readdirSync(join(place.baseDir, "data"))
    assert.ok(
      kept.some((name) => name.startsWith(`postgres.aside-${id}-`)),
      kept.join(),
    )
    assertData(place)
  })

  it("goes back when the new store of keys starts empty beside its snapshot, before it can save", async () => {
    const tools = open(place, { beforeStep: hideDump(place, "rename") })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.status, "rolled-back")
    assert.equal(result.rung, "previous-images", result.cause)
    assert.match(result.cause ?? "", /dragonfly db0.keys: \(none\) instead of 3/)
    assertData(place)
  })

  it("restores the keys when the snapshot is gone for the previous image, too", async () => {
    // An earlier run waits for another backup: this one's brings back data that the app must not start on.
    const backup = "backup-20200101-000000"
    await open(place).host.run(noteStoppedApp(open(place).layout, { awaits: "restore", backup, fingerprints: [] }))
    const tools = open(place, { beforeStep: hideDump(place, "hide") })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.rung, "backup", result.cause)
    assert.ok(tools.said.some((line) => line.includes("previous images do not serve either")))
    const note = await readStoppedApp(tools)
    assert.deepEqual([note?.awaits, note?.backup], ["restore", backup])
    await tools.host.run(forgetStoppedApp(tools.layout))
    assertData(place)
  })

  it("makes missing containers on the data that is there, for the backup, and goes on", async () => {
    await docker("rm", "-f", `${place.project}-postgres-1`, `${place.project}-dragonfly-1`)
    const tools = open(place)
    const id = await backupId(tools)
    assert.ok(
      tools.said.some(
        (line) =>
          line.includes("missing containers of postgres, dragonfly") ||
          line.includes("missing containers of dragonfly, postgres"),
      ),
      tools.said.join("\n"),
    )
    const result = await recreate(open(place), { backupId: id })
    assert.equal(result.status, "recreated", result.cause)
    assertData(place)
  })

  it("does not make a container on an empty directory for a backup", async () => {
    await docker("rm", "-f", `${place.project}-dragonfly-1`)
    const data = join(place.baseDir, "data/dragonfly")
    renameSync(data, `${data}.elsewhere`)
    // That something else which it may write to is full does not make it less empty.
    const [file, text] = [join(place.baseDir, composeFile), readCompose(place)]
    writeFileSync(file, changed(place, ["dragonfly_data:/data", "dragonfly_data:/data\n      - ./state:/notes"]))
    await assert.rejects(backupId(open(place)), refusedWith("data-missing"))
    writeFileSync(file, text)
    execFileSync("rm", ["-rf", data])
    renameSync(`${data}.elsewhere`, data)
  })

  it("creates everything on a fresh host, and refuses to without a backup where there is data", async () => {
    await assert.rejects(recreate(open(place)), refusedWith("no-backup"))
    await removeStack({ slot })
    execFileSync(join(import.meta.dirname, "../testbed/stack"), ["--slot", String(slot), "layout"])
    const fresh = testbed(slot).stack
    const compose = changed(fresh, ["postgres_data:/var/lib/postgresql/data", "postgres_data:/elsewhere"])
    await assert.rejects(recreate(open(fresh, { compose })), refusedWith("no-persistent-volume"))
    // A volume that has another name in the files now.
    const label = ["--label", "infra-actions.testbed=1", "--label", `com.docker.compose.project=${fresh.project}`]
    const forgotten = await docker("volume", "create", ...label)
    const fill = ["run", "--rm", "-v", `${forgotten}:/there`, "--entrypoint", "sh", "infra-testbed/postgres:17"]
    await docker(...fill, "-c", "touch /there/PG_VERSION")
    await assert.rejects(recreate(open(fresh)), refusedWith("data-elsewhere"))
    await docker("volume", "rm", forgotten)
    // A backup that cannot be read may be of data that was lost; another project's is not.
    const metadata = join(fresh.baseDir, "backups/metadata")
    const manifest = join(metadata, "backup-20260101-020000.json")
    const newer = (project: string) => JSON.stringify({ format: 2, project, environment: "production" })
    mkdirSync(metadata)
    for (const text of [newer(fresh.project), "torn"]) {
      writeFileSync(manifest, text)
      await assert.rejects(recreate(open(fresh)), refusedWith("earlier-unreadable"))
    }
    assert.equal(await ids(fresh), "")
    writeFileSync(manifest, newer("another"))
    const result = await recreate(open(fresh))
    assert.equal(result.status, "created")
    assert.deepEqual(result.differences, [])
    assert.deepEqual(new Set(result.plan.services.map((one) => one.action)), new Set(["create"]))
    assert.equal(sql(fresh, "select 1"), "1")

    redis(fresh, "set", "unsaved", "1")
    assert.deepEqual(readdirSync(join(fresh.baseDir, "data/dragonfly")), [])
    await assert.rejects(recreate(open(fresh), { services: ["dragonfly"] }), refusedWith("no-backup"))
  })
})

const postgresImage = /image: \$\{POSTGRES_IMAGE[^\n]*/

/** Takes the snapshot away once it was written by the stop: `rename` brings it back before the previous images start. */
function hideDump({ baseDir }: StackPlace, how: "rename" | "hide") {
  const file = join(baseDir, "data/dragonfly/dump.rdb")
  return (step: string) => {
    if (step === "recreate-containers") renameSync(file, `${file}.hidden`)
    if (step === "put-images-back" && how === "rename") {
      assert.ok(!existsSync(file), "the empty store has saved")
      renameSync(`${file}.hidden`, file)
    }
  }
}

function assertData(place: StackPlace): void {
  assert.equal(sql(place, "select count(*) from notes"), "300")
  assert.equal(redis(place, "mget", "a", "b", "c"), "1\n2\n3")
}
