import assert from "node:assert/strict"
import { it } from "node:test"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { readServer } from "../../../src/service/postgres/server-facts.ts"
import { standbyAdvice } from "../../../src/service/postgres/standby-advice.ts"
import { directWork } from "../../support/direct-work.ts"
import { openGround, until } from "./postgres-ground.ts"

const driver = postgresDriver()

it("no backup of a server whose snapshots grow old, or of a standby without its primary, and no restore into a standby", async () => {
  await using ground = await openGround("refusals", { major: 15, prefix: "t-pgx" })
  const work = directWork(ground.service.host)
  const target = { id: "backup-20260101-000000", stamp: "2026-01-01-000000" }
  const backUp = () => driver.backup?.(ground.service, ground.container(), target, work) ?? assert.fail("no backup")
  const restarted = () => {
    ground.docker("restart", ground.container().id)
    return ground.ready()
  }
  ground.sql("app", "alter system set old_snapshot_threshold = '1h'")
  await restarted()
  await assert.rejects(backUp(), {
    kind: "refused",
    code: "postgres-settings",
    message: /old_snapshot_threshold.* is 1h/,
  })
  ground.sql("app", "alter system reset old_snapshot_threshold")
  await restarted()
  const backup = await backUp()
  ground.docker("exec", ground.container().id, "sh", "-c", 'touch "$PGDATA/standby.signal"')
  await restarted()
  assert.equal(ground.sql("app", "select pg_is_in_recovery()"), "t")
  // Nobody knows how old what it holds is.
  await assert.rejects(backUp(), {
    kind: "refused",
    code: "postgres-standby-stale",
    message: /it has replayed none since it started, and no primary sends it any/,
    hint: /pg_promote/,
  })
  const restore = driver.restore?.(ground.service, ground.container(), backup, work)
  await assert.rejects(restore ?? assert.fail(), { kind: "refused", code: "postgres-standby" })
})

it("a backup of a standby that follows its primary is told as that", async () => {
  await using primary = await openGround("primary", { major: 15, prefix: "t-pgx" })
  primary.sql("app", "create table visits as select generate_series(1, 100) as id")
  // The network of the primary's container, which has none but its own, is how they reach each other.
  const name = "t-pgx-standby"
  const asContainer = ["--name", name, "--network", `container:${primary.container().id}`, "--user", "postgres"]
  const environment = ["POSTGRES_USER=clinic", "POSTGRES_DB=app", "PGPASSWORD=secret word"]
  const copy = "mkdir -m 700 /tmp/data && pg_basebackup -h 127.0.0.1 -U clinic -R -c fast -D /tmp/data"
  const serve = "exec postgres -D /tmp/data -c listen_addresses= -c fsync=off"
  const id = primary
    .docker(
      ...["run", "--detach", "--label", "infra-actions.testbed=1", ...asContainer],
      ...environment.flatMap((one) => ["--env", one]),
      ...[primary.container().image, "sh", "-c", `${copy} && ${serve}`],
    )
    .trim()
  try {
    const ask = (text: string) =>
      primary.docker("exec", id, "psql", "-qAtX", "-U", "clinic", "-d", "app", "-c", text).trim()
    const standby = { ...primary.container(), id, name }
    const told: string[] = []
    const backUp = (stamp: string) => {
      const target = { id: `backup-${stamp}`, stamp, warn: (sentence: string) => told.push(sentence) }
      return driver.backup?.(primary.service, standby, target, directWork(primary.service.host)) ?? assert.fail()
    }
    await until(() => assert.equal(ask("select status from pg_stat_wal_receiver"), "streaming"))
    primary.sql("app", "insert into visits values (101)")
    await until(() => assert.equal(ask("select count(*) from visits"), "101"))
    const { contents } = await backUp("2026-01-01-000001")
    assert(contents.kind === "postgres")
    assert.deepEqual(
      contents.databases.flatMap(({ tables }) => tables.map(({ rows }) => rows)),
      [101],
    )
    assert.match(
      told.join(),
      /^postgres is a standby, .* its last one is of 20[-0-9T:]+Z, and its primary has sent no more\.$/,
    )
    // What came in, and is not replayed, is in no dump.
    ask("select pg_wal_replay_pause()")
    primary.sql("app", "insert into visits values (102)")
    await until(() => assert.equal(ask("select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"), "t"))
    assert.equal((await readServer(primary.service, standby)).upToDate, false)
    ask("select pg_wal_replay_resume()")
    told.length = 0
    primary.docker("stop", "--time", "5", primary.container().id)
    await until(() => assert.equal(ask("select count(*) from pg_stat_wal_receiver"), "0"))
    await backUp("2026-01-01-000002")
    assert.match(told.join(), /is a standby, .*, and it is behind its primary, or has lost it\.$/)
  } finally {
    primary.docker("rm", "--force", "--volumes", id)
  }
})

it("a standby that has lost its primary is no backup any more when its last transaction is old", () => {
  const now = "2026-01-01T12:00:00Z"
  const advice = (lastReplayed: string | null, upToDate: boolean) =>
    standbyAdvice({ name: "db" }, { standby: true, now, lastReplayed, upToDate })
  assert.equal(advice("2026-01-01T11:45:00Z", false).length, 1)
  assert.throws(() => advice("2026-01-01T11:44:59Z", false), {
    code: "postgres-standby-stale",
    message: /of 2026-01-01T11:44:59Z/,
  })
  // Nothing was written for long, or ever since: but the primary is there, and would have sent it.
  assert.equal(advice("2025-01-01T00:00:00Z", true).length, 1)
  assert.equal(advice(null, true).length, 1)
  assert.deepEqual(standbyAdvice({ name: "db" }, { standby: false, now, lastReplayed: null, upToDate: true }), [])
})
