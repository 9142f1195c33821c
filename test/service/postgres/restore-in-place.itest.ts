import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { after, before, beforeEach, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import type { InPlace } from "../../../src/service/driver.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver()
/** All that a database can hold: what is made of it beside the live one must not be in its way. */
const everything = readFileSync(new URL("./conformance.sql", import.meta.url), "utf8")
const data = "/var/lib/postgresql/data"

describe("a restore where the disk has no room for two", () => {
  let ground: Ground
  let backup: ServiceBackup
  before(async () => {
    ground = await openGround("in-place", { major: 17, disk: "320m", config: { databases: ["app"] } })
    ground.sql("app", "alter system set max_wal_size = '32MB'")
    ground.sql("app", "select pg_reload_conf()")
    ground.sql("app", everything)
    const table = "create table public.word (w text); alter table public.word owner to conf_owner"
    const bulk =
      "create table public.bulk as select g, repeat(md5(g::text), 60) filling from generate_series(1, 30000) g"
    ground.sql("app", `set clinic.locked = 'no'; ${table}; ${bulk}; insert into public.word values ('backed up')`)
    backup = await backUp(1)
  })
  beforeEach(() => {
    ground.sql("app", "delete from public.word; insert into public.word values ('live')")
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /terminated by signal|reinitializing|PANIC/)
  })

  let stamp = 0
  const backUp = async (checksumOf: number) => {
    stamp += 1
    const second = String(stamp).padStart(6, "0")
    const target = { id: `backup-20260101-${second}`, stamp: `2026-01-01-${second}`, checksums: checksumOf === 1 }
    const work = directWork(ground.service.host)
    return (await driver.backup?.(ground.service, ground.container(), target, work)) ?? assert.fail("no backup")
  }
  const inside = (...words: readonly string[]) => ground.docker("exec", ground.container().id, ...words)
  /** Leaves as much room as a restore beside needs, less `short` megabytes. */
  const fill = (short: number) => {
    inside("rm", "-f", `${data}/filler`)
    ground.sql("app", "checkpoint")
    const [size = 0, free = 0] = (inside("df", "-P", "-B1", data).split("\n")[1]?.split(/ +/) ?? [])
      .slice(1, 4)
      .flatMap((word, at) => (at === 1 ? [] : [Number(word)]))
    const live = Number(ground.sql("app", "select pg_database_size('app')"))
    const leave = live + 2 ** 25 + size * 0.05 - short * 2 ** 20
    inside("fallocate", "-l", String(Math.floor(free - leave)), `${data}/filler`)
  }
  const databases = () => ground.sql("postgres", "select string_agg(datname, ' ' order by datname) from pg_database")
  const untouched = "app postgres template0 template1"
  const word = () => ground.sql("app", "select w from public.word")
  /** What says that a restore found no database to replace. */
  const dropNothing = () => {
    const [, old = ""] = /(app__old_\w+)/.exec(databases()) ?? []
    assert.equal(ground.sql(old, "select count(*) from pg_class where relnamespace = 'public'::regnamespace"), "0")
    ground.sql("postgres", `drop database "${old}"`)
  }
  const comment = () =>
    ground.sql("app", "select shobj_description(oid, 'pg_database') from pg_database where datname = 'app'")
  /** Allows it, and remembers what the databases were when it was asked and told. */
  const allow = (more: Partial<InPlace> = {}) => {
    const seen: string[] = []
    const place: InPlace = {
      async hold(holds) {
        seen.push(`hold ${databases()}`)
        assert.equal(await holds(backup), false, "the backup that is restored does not hold what is live")
        const made = await backUp(1)
        assert.equal(await holds(made), true)
        assert.equal(await holds(await backUp(0)), false, "without checksums nothing is known of the rows")
        return made
      },
      async noWayBack() {
        seen.push(`no way back ${databases().replace(/[0-9a-f]{8}/, "X")}`)
      },
      ...more,
    }
    return { place, seen }
  }
  const restore = (place?: InPlace, { held = backup, work = directWork(ground.service.host) } = {}) =>
    driver.restore?.(ground.service, ground.container(), held, work, place) ?? assert.fail("no restore")
  /** Refused with the live data as it was, and nobody asked to give it up. */
  const refused = async (expected: object, place?: InPlace, held = backup) => {
    await assert.rejects(restore(place, { held }), expected)
    assert.deepEqual([databases(), word()], [untouched, "live"])
  }

  it("is refused unless it may be in place", async () => {
    fill(20)
    const expected = { kind: "refused", code: "disk-space", hint: /in-place: true/ }
    await refused(expected)
    const how = { work: directWork(ground.service.host), inPlace: false }
    const look = driver.assertRestorable?.(ground.service, ground.container(), backup, how) ?? assert.fail()
    await assert.rejects(look, expected)
    assert.deepEqual(how.work.steps, [])
  })

  it("is refused when even without the live data there is too little", async () => {
    fill(20 + 80)
    await refused({ kind: "refused", code: "disk-space", hint: /also without the live data/ }, allow().place)
  })

  it("is refused when what older restores kept could go instead", async () => {
    inside("rm", "-f", `${data}/filler`)
    ground.sql("postgres", "create database app__old_12345678 template app")
    const mark = JSON.stringify({ "infra-actions": "replaced", name: "app", run: "r", at: "2026-01-01T00:00:00.000Z" })
    ground.sql("postgres", `comment on database app__old_12345678 is '${mark}'`)
    fill(20)
    await assert.rejects(restore(allow().place), { code: "disk-space", hint: /mode: clean/ })
    ground.sql("postgres", "drop database app__old_12345678")
    assert.deepEqual([databases(), word()], [untouched, "live"])
  })

  it("is refused before anything is asked when its file is damaged", async () => {
    fill(20)
    const { place, seen } = allow()
    const file = `${ground.backups}/${backup.artifacts.find((one) => one.role === "database")?.file}`
    const whole = readFileSync(file)
    const copy = Buffer.from(whole)
    copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1
    writeFileSync(file, copy)
    await refused({ code: "backup-damaged" }, place)
    writeFileSync(file, whole)
    assert.deepEqual(seen, [])
  })

  for (const [what, file, expected] of [
    ["an extension", "/usr/share/postgresql/*/extension/pg_trgm.control", { code: "postgres-extension" }],
    ["what an extension needs", "/usr/lib/postgresql/*/lib/pg_trgm.so", { message: /making database "app" beside/ }],
  ] as const)
    it(`is refused before anything is asked when the server lacks ${what}`, async () => {
      fill(20)
      const { place, seen } = allow()
      const path = inside("sh", "-c", `ls ${file}`).trim()
      inside("mv", path, `${path}.away`)
      try {
        await refused(expected, place)
      } finally {
        inside("mv", `${path}.away`, path)
      }
      assert.deepEqual(seen, [])
    })

  it("is refused, and puts the live data back, when somebody wrote after it was backed up", async () => {
    fill(20)
    const hold = async () => {
      const made = await backUp(1)
      ground.sql("app", "delete from public.word; insert into public.word values ('late')")
      return made
    }
    const { place, seen } = allow({ hold })
    await assert.rejects(restore(place), { kind: "refused", code: "data-changed", message: /public\.word/ })
    assert.deepEqual([databases(), word(), seen], [untouched, "late", []])
    assert.equal(comment(), "the clinic's; data")
  })

  it("is refused when the backup of the live data does not hold all of it", async () => {
    fill(20)
    await refused({ code: "data-changed" }, allow({ hold: async () => backup }).place)
  })

  it("puts the live data back when it cannot write down that it is going to be dropped", async () => {
    fill(20)
    const noWayBack = async () => {
      throw new Error("the state's disk is full")
    }
    await refused({ message: "the state's disk is full" }, allow({ noWayBack }).place)
  })

  it("drops the live data last of all, and brings the backup's", async () => {
    fill(20)
    const { place, seen } = allow()
    const { kept, rows } = await restore(place)
    assert.deepEqual([word(), databases(), rows > 30_001], ["backed up", untouched, true])
    assert.match(kept, /no room for both/)
    assert.deepEqual(seen, [`hold ${untouched}`, "no way back app__old_X postgres template0 template1"])
    assert.equal(
      ground.sql("app", "select pg_get_userbyid(relowner) from pg_class where relname = 'word'"),
      "conf_owner",
    )
    assert.equal(comment(), "the clinic's; data")
  })

  it("leaves nothing half restored when the rows differ in the end, and a second one brings them", async () => {
    fill(20)
    const { contents } = backup
    if (contents.kind !== "postgres") assert.fail()
    const rows = (name: string, count: number) => (name === "word" ? count + 1 : count)
    const databasesOf = contents.databases.map((one) => ({
      ...one,
      tables: one.tables.map((table) => ({ ...table, rows: rows(table.name, table.rows) })),
    }))
    const held = { ...backup, contents: { ...contents, databases: databasesOf } }
    const { place, seen } = allow()
    await assert.rejects(restore(place, { held }), {
      code: "restore-differs",
      message: /public\.word rows: 1 instead of 2/,
    })
    assert.deepEqual([databases(), seen.length], ["postgres template0 template1", 2])
    await restore()
    dropNothing()
    assert.deepEqual([word(), databases()], ["backed up", untouched])
  })

  it("goes only forward once it was noted, whatever was left", async () => {
    fill(20)
    const beforeStep = (step: string) => {
      if (step === "make-room-postgres") throw new Error("killed")
    }
    const work = directWork(ground.service.host, { beforeStep })
    await assert.rejects(restore(allow().place, { work }), /killed/)
    assert.match(databases(), /^app__old_/)
    const cut = { ids: [work.id], backup, dropped: true }
    const isIn = () => driver.cutRestores?.isIn?.(ground.service, ground.container(), cut)
    assert.equal(await isIn(), false)
    await driver.cutRestores?.undo(ground.service, ground.container(), cut, directWork(ground.service.host))
    assert.equal(databases(), "postgres template0 template1")
    ground.sql("postgres", "create database app")
    assert.equal(await isIn(), false, "an empty database of that name is not what was restored")
    ground.sql("postgres", "drop database app")
    await restore()
    dropNothing()
    assert.deepEqual([await isIn(), word()], [true, "backed up"])
  })

  it("puts back what was moved aside by one that had noted nothing", async () => {
    fill(20)
    const noWayBack = async () => {
      throw new Error("killed")
    }
    const beforeStep = (step: string) => {
      if (step === "undo-postgres") throw new Error("killed")
    }
    const work = directWork(ground.service.host, { beforeStep })
    await assert.rejects(restore(allow({ noWayBack }).place, { work }), /killed/)
    assert.match(databases(), /^app__old_/)
    const cut = { ids: [work.id], backup, dropped: false }
    assert.equal(await driver.cutRestores?.isIn?.(ground.service, ground.container(), cut), false)
    await driver.cutRestores?.undo(ground.service, ground.container(), cut, directWork(ground.service.host))
    assert.deepEqual([databases(), word()], [untouched, "live"])
  })
})
