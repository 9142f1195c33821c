import assert from "node:assert/strict"
import { readdirSync, readFileSync, renameSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { recreate } from "../../src/job/recreate.ts"
import { settleUpgrade } from "../../src/job/settle-upgrade.ts"
import { readUpgrades } from "../../src/job/upgrade-note.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import {
  backupId,
  cutAt,
  docker,
  failAt,
  ids,
  image,
  open,
  readCompose,
  rival,
  sql,
  startWriting,
  useImage,
} from "./recreate-ground.ts"

const slot = 30

describe("recreate with another Postgres major", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, postgres: 15, app: "v1" })
    fill(place)
  })
  after(() => removeStack({ slot }))

  it("says in a dry run what it is going to do, and changes nothing", async () => {
    const earlier = await ids(place)
    const id = await backupId(open(place))
    useImage(place, "infra-testbed/postgres:17")
    const tools = open(place, { dryRun: true })
    const { plan } = await recreate(tools, { backupId: id })

    const postgres = plan.services.find((one) => one.service === "postgres")
    assert.equal(postgres?.reason, "image infra-testbed/postgres:15 becomes infra-testbed/postgres:17")
    assert.ok(
      tools.said.some((line) => line.startsWith("postgres: PostgreSQL 15 becomes PostgreSQL 17")),
      tools.said.join("\n"),
    )
    for (const step of ["dump-postgres-globals", "restore-postgres-records"])
      assert.ok(
        tools.said.some((line) => line.startsWith(`would do ${step}`)),
        step,
      )
    assert.equal(await ids(place), earlier)
  })

  for (const step of ["dump-postgres-globals", "restore-postgres-records"])
    it(`goes back to the old image and directory when ${step} fails`, async () => {
      useImage(place, "infra-testbed/postgres:15")
      await using writing = startWriting(place)
      const id = await backupId(open(place))
      useImage(place, "infra-testbed/postgres:17")
      const tools = open(place, { beforeStep: failAt(step) })
      const result = await recreate(tools, { backupId: id })

      assert.equal(result.status, "rolled-back")
      assert.equal(result.rung, "previous-data")
      assert.match(result.cause ?? "", /broken on purpose/)
      assertOld(place)
      assert.deepEqual(await readUpgrades(tools), [])
      await assertApp(tools)
      assert.ok(writing.count() > 0)
      assert.equal(await writing.lost(), 0)
    })

  for (const step of ["dump-postgres-globals", "recreate-containers", "end-upgrade"])
    it(`is undone by the next run when it was cut off at ${step}`, async () => {
      useImage(place, "infra-testbed/postgres:15")
      await using writing = startWriting(place)
      const id = await backupId(open(place))
      useImage(place, "infra-testbed/postgres:17")
      await assert.rejects(recreate(open(place, { beforeStep: cutAt(step) }), { backupId: id }), HostError)

      const tools = open(place)
      assert.equal((await readUpgrades(tools)).length, 1)
      if (step === "recreate-containers") {
        await using _theirs = await rival(place, "running")
        await assert.rejects(settleUpgrade(tools), { code: "data-in-use" })
      }
      await settleUpgrade(tools)
      assert.equal(/had filled is in .*postgres\.failed-/.test(tools.said.join()), step === "end-upgrade")
      assert.equal((await tools.stack.containers("api"))[0]?.state, "exited", "the data is not compared yet")
      await finishInterrupted(tools)
      assertOld(place)
      assert.deepEqual(await readUpgrades(tools), [])
      await assertApp(tools)
      assert.equal(await writing.lost(), 0)
    })

  it("refuses a data path outside of every volume before anything stops", async () => {
    const tag = await image(
      "t-rec/postgres:own-path",
      "infra-testbed/postgres:17",
      "ENV PGDATA=/var/lib/postgresql/18/docker",
    )
    await refused(place, { from: "infra-testbed/postgres:15", to: tag, code: "postgres-data-path" })
  })

  it("refuses an image without an extension that is in use", async () => {
    const remove = "RUN find / -xdev -name 'pgcrypto.control' -delete"
    const tag = await image("t-rec/postgres:no-extension", "infra-testbed/postgres:17", remove)
    await refused(place, { from: "infra-testbed/postgres:15", to: tag, code: "postgres-extension" })
  })

  it("brings roles, extensions and every database over, and loses nothing that a writer was told is there", async () => {
    const hash = sql(place, "select rolpassword from pg_authid where rolname in ('app', 'clerk') order by 1")
    useImage(place, "infra-testbed/postgres:15")
    await using writing = startWriting(place)
    const id = await backupId(open(place))
    const dumps = () => readdirSync(join(place.baseDir, "backups/postgres")).toSorted()
    const held = dumps()
    // As the 18 images have it: a directory of the major's own below the volume, which is mounted one level up.
    useImage(place, "t-rec/postgres:own-path")
    const compose = readCompose(place).replace(
      "postgres_data:/var/lib/postgresql/data",
      "postgres_data:/var/lib/postgresql",
    )
    const tools = open(place, { compose })
    const result = await recreate(tools, { backupId: id })

    assert.equal(result.status, "recreated", `${result.cause}`)
    assert.match(sql(place, "show server_version"), /^17/)
    assert.equal(sql(place, "select rolpassword from pg_authid where rolname in ('app', 'clerk') order by 1"), hash)
    assert.equal(
      sql(place, "select setting from (select unnest(rolconfig) setting from pg_roles where rolname = 'app') s"),
      "work_mem=6MB",
    )
    assert.equal(sql(place, "select count(*) from notes", "records"), "500")
    assert.equal(
      sql(place, "select datname from pg_database where not datistemplate order by 1"),
      "healthcare\npostgres\nrecords",
    )
    assert.equal(sql(place, "select length(digest('x', 'sha256'))", "records"), "32")
    assert.equal(sql(place, "select has_table_privilege('clerk', 'notes', 'select')", "records"), "t")
    assert.deepEqual(result.advice, [
      "postgres: settings made by ALTER SYSTEM did not come along: work_mem. Set them in the compose file, or again.",
    ])
    assert.match(result.kept.join(), /the data of PostgreSQL 15 is kept in .*data\/postgres\.aside-backup-/)
    const asides = readdirSync(join(place.baseDir, "data")).filter((name) => name.startsWith(`postgres.aside-${id}`))
    assert.equal(asides.length, 1)
    assert.equal(readFileSync(join(place.baseDir, "data", asides[0] ?? "", "PG_VERSION"), "utf8").trim(), "15")
    assert.deepEqual(await readUpgrades(tools), [])
    await assertApp(tools)
    assert.deepEqual(dumps(), held, "the upgrade's own dump is gone")
    assert.equal(await writing.lost(), 0)
  })

  it("is finished, and never put back, by the next run when it was cut off with the new server filled", async () => {
    place = await resetStack({ slot, postgres: 15, app: "v1" })
    sql(place, "create table notes as select generate_series(1, 500) n")
    const id = await backupId(open(place))
    useImage(place, "infra-testbed/postgres:17")
    const cut = open(place, { beforeStep: cutAt("recreate-containers-rest") })
    await assert.rejects(recreate(cut, { backupId: id }), HostError)
    await docker("stop", `${place.project}-postgres-1`)
    const version = join(place.baseDir, "data/postgres/PG_VERSION")
    renameSync(version, `${version}.hidden`)

    const first = open(place)
    await settleUpgrade(first)
    await finishInterrupted(first)
    assert.match(first.said.join("\n"), /could not be finished, the app stays stopped/)
    assert.equal((await first.stack.containers("postgres"))[0]?.image, "infra-testbed/postgres:17")
    assert.equal((await first.stack.containers("api"))[0]?.state, "exited")

    renameSync(`${version}.hidden`, version)
    await finishInterrupted(open(place))
    assert.match(sql(place, "show server_version"), /^17/)
    assert.equal(sql(place, "select count(*) from notes"), "500")
    await assertApp(open(place))
  })

  it("refuses to go back to an older major", async () => {
    const downgrade = { from: "infra-testbed/postgres:17", to: "infra-testbed/postgres:15", code: "postgres-downgrade" }
    await refused(place, downgrade)
  })
})

function fill(place: StackPlace): void {
  sql(
    place,
    `create role clerk login password 'cl''erk'; create database records owner clerk;
    alter role app password 'changed since'; alter role app set work_mem = '6MB'; alter system set work_mem = '5MB';`,
  )
  sql(
    place,
    `create extension pgcrypto; create table notes as select n, md5(n::text) text from generate_series(1, 500) n;
    grant select on notes to clerk;`,
    "records",
  )
  // The app and the writer log in with the password of the env file.
  const password = /^POSTGRES_PASSWORD=(.*)$/m.exec(readFileSync(join(place.baseDir, ".env.production"), "utf8"))?.[1]
  sql(place, `alter role app password '${password}'`)
}

function assertOld(place: StackPlace): void {
  assert.match(sql(place, "show server_version"), /^15/)
  assert.equal(sql(place, "select count(*) from notes", "records"), "500")
  assert.equal(sql(place, "select count(*) from pg_database where datname like '%\\_\\_%'"), "0")
}

async function assertApp({ stack }: ReturnType<typeof open>): Promise<void> {
  const containers = await stack.containers()
  for (const service of ["api", "worker", "postgres"]) {
    const own = containers.filter((one) => one.service === service)
    assert.deepEqual(
      own.map((one) => [one.state, one.health]),
      [["running", "healthy"]],
      service,
    )
  }
  const networks = containers.find((one) => one.service === "postgres")?.networks.map((one) => one.name)
  assert.ok(
    networks?.every((name) => name.endsWith("_default")),
    networks?.join(),
  )
}

interface Refused {
  /** What runs, and what is asked for. */
  readonly from: string
  readonly to: string
  readonly code: string
}

async function refused(place: StackPlace, { from, to, code }: Refused): Promise<void> {
  useImage(place, from)
  const tools = open(place)
  const id = await backupId(tools)
  useImage(place, to)
  const earlier = await docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", `${place.project}-postgres-1`)
  await assert.rejects(recreate(open(place), { backupId: id }), (error: unknown) => {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, code, error.message)
    return error.kind === "refused"
  })
  useImage(place, from)
  assert.equal(await docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", `${place.project}-postgres-1`), earlier)
}
