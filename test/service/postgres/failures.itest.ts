import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { after, before, describe, it } from "node:test"
import type { PostgresFormat } from "../../../src/core/config.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { backupFiles, besides, type Ground, openGround, ownSessions, until } from "./postgres-ground.ts"

const driver = postgresDriver({ lockLimit: 20_000, besideFrom: 0 })
let stamps = 0

for (const major of [15, 17] as const) {
  describe(`what stops a backup of PostgreSQL ${major} is named, and nothing of it stays`, () => {
    let ground: Ground
    before(async () => {
      const initdb = major === 15 ? "--data-checksums" : ""
      ground = await openGround(`failures-${major}`, { major, prefix: "t-pgx", initdb })
      ground.sql("app", "create table held as select generate_series(1, 9) i; create table t as select 1 i")
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })

    const backUp = (format: PostgresFormat = "custom") => {
      const stamp = `2026-01-01-${String(++stamps).padStart(6, "0")}`
      const target = { id: `backup-${stamps}`, stamp, format }
      const made = driver.backup?.(ground.service, ground.container(), target, directWork(ground.service.host))
      return made ?? assert.fail("no backup")
    }
    const nothingStays = async (files: readonly string[]) => {
      assert.deepEqual(backupFiles(ground), files)
      await until(() => assert.equal(ownSessions(ground), "0"))
      await until(() => assert.deepEqual(processes(ground), []))
      await until(() => assert.deepEqual(besides(ground), []))
      assert.equal(ground.docker("exec", ground.container().id, "find", "/tmp", "-name", "infra-actions*"), "")
    }

    for (const [signal, format] of [
      ["SIGKILL", "custom"],
      ["SIGTERM", "custom"],
      ["SIGTERM", "directory"],
      ["SIGKILL", "plain"],
    ] as const)
      it(`${signal} to pg_dump while it writes ${format}`, async () => {
        const files = backupFiles(ground)
        const holder = ground.session("app", "begin; lock table held;")
        await until(() => assert.equal(locks(ground), "1"))
        const made = backUp(format)
        // Awaited below; it may fail before.
        made.catch(() => undefined)
        await until(() => assert.equal(waiting(ground), "1"))
        const [dump] = processes(ground).filter(({ command }) => command.startsWith("pg_dump"))
        process.kill(dump?.pid ?? assert.fail("no pg_dump"), signal)
        await assert.rejects(made, { code: "postgres-dump-killed", message: /database "app"/ })
        holder.end()
        await nothingStays(files)
      })

    // Later ones do not let the first superuser become less.
    it("a user without the right to read every table", { skip: major !== 15 }, async () => {
      const files = backupFiles(ground)
      ground.sql(
        "app",
        "create role other superuser login; create table secret as select 1 i; alter table secret owner to other",
      )
      const as = (text: string) =>
        ground.docker("exec", ground.container().id, "psql", "-qAtX", "-U", "other", "-d", "app", "-c", text)
      as("alter role clinic nosuperuser")
      try {
        await assert.rejects(backUp(), { code: "postgres-permission", message: /permission denied/ })
      } finally {
        as("alter role clinic superuser")
        ground.sql("app", "drop table secret")
      }
      await nothingStays(files)
    })

    it("no free connection, at once or half way", async () => {
      const files = backupFiles(ground)
      ground.sql("postgres", "alter system set max_connections = 8")
      await restart(ground)
      for (const free of [0, 2]) {
        const others = Array.from({ length: 8 - free }, () => ground.session("postgres", "select 1;"))
        await until(() => assert.equal(clients(ground), 8 - free))
        await assert.rejects(backUp(), { code: "postgres-connections" })
        for (const one of others) one.end()
        await until(() => assert.equal(clients(ground), 0))
        await nothingStays(files)
      }
      ground.sql("postgres", "alter system reset max_connections")
      await restart(ground)
    })

    it("a setting that would leave out the rows of damaged pages", async () => {
      const files = backupFiles(ground)
      for (const setting of ["zero_damaged_pages", "ignore_checksum_failure"]) {
        ground.sql("app", `alter database app set ${setting} = on`)
        await assert.rejects(backUp(), { code: "postgres-damaged", message: /zero_damaged_pages or ignore_checksum/ })
        ground.sql("app", `alter database app reset ${setting}`)
        await nothingStays(files)
      }
    })

    it(`a damaged page, ${major === 15 ? "by its checksum" : "by its header"}`, async () => {
      const files = backupFiles(ground)
      ground.sql(
        "app",
        "create table damaged as select g, repeat('x', 500) v from generate_series(1, 2000) g; vacuum damaged; checkpoint",
      )
      const path = `/var/lib/postgresql/data/${ground.sql("app", "select pg_relation_filepath('damaged')")}`
      const offset = 3 * 8192 + (major === 15 ? 6000 : 12)
      const flip = `printf '\\377\\377\\377\\377' | dd of=${path} bs=1 seek=${offset} conv=notrunc`
      ground.docker("exec", ground.container().id, "sh", "-c", flip)
      await restart(ground)
      await assert.rejects(backUp(), { code: "postgres-damaged", message: /invalid page in block 3/ })
      await nothingStays(files)
      ground.sql("app", "drop table damaged")
      await backUp()
    })
  })
}

function locks(ground: Ground): string {
  return ground.sql(
    "app",
    "select count(*) from pg_locks where relation = 'held'::regclass and mode = 'AccessExclusiveLock' and granted",
  )
}

function waiting(ground: Ground): string {
  return ground.sql(
    "app",
    "select count(*) from pg_stat_activity where application_name like 'infra-actions%' and wait_event_type = 'Lock' and query like 'LOCK TABLE%'",
  )
}

/** What runs in the container or beside it and is not the server's. */
function processes(ground: Ground): ReturnType<typeof running> {
  const all = [ground.container().id, ...besides(ground)].flatMap((id) => running(ground, id))
  return all.filter(({ command }) => /pg_dump|psql|mktemp|zstd|^tar|sh -c/.test(command))
}

/** What runs in a container, by the host's numbers; nothing when it is gone. */
function running(
  ground: Ground,
  id = ground.container().id,
): readonly { readonly pid: number; readonly command: string }[] {
  return spawnSync("docker", ["top", id, "-eo", "pid,args"], { encoding: "utf8" })
    .stdout.split("\n")
    .flatMap((line) => {
      const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
      return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), command }]
    })
}

/** From outside: with no free connection nobody can be asked. */
function clients(ground: Ground): number {
  return running(ground).filter(({ command }) => /^postgres: clinic postgres .*idle/.test(command)).length
}

async function restart(ground: Ground): Promise<void> {
  ground.docker("restart", "--signal", "SIGINT", ground.container().id)
  await ground.ready()
}
