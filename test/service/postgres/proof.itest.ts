import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import type { PostgresFormat } from "../../../src/core/config.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { backupFiles, type Ground, openGround, ownSessions, until } from "./postgres-ground.ts"

// In the server's own container, whose pg_dump can be replaced by one that lies.
const driver = postgresDriver({ besideFrom: Number.POSITIVE_INFINITY })
let stamps = 0

/** A directory whose program for SHA-256 changes a file before it reads it. */
const changing = mkdtempSync(join(tmpdir(), "t-changing-"))
writeFileSync(
  join(changing, "openssl"),
  '#!/bin/sh\nfile=$(readlink /proc/self/fd/0)\n[ ! -f "$file" ] || printf x >>"$file"\nexec sha256sum\n',
  { mode: 0o755 },
)
after(() => rmSync(changing, { recursive: true }))

for (const major of [15, 17] as const)
  describe(`a dump of PostgreSQL ${major} that is not what pg_dump should have made is no backup`, () => {
    let ground: Ground
    before(async () => {
      ground = await openGround(`proof-${major}`, { major, prefix: "t-pgx" })
      ground.sql("app", "create table kept as select generate_series(1, 20000) i; create table t as select 1 i")
    })
    after(async () => {
      await using _ = ground
      assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
    })

    const backUp = (format: PostgresFormat) => {
      const stamp = `2026-01-02-${String(++stamps).padStart(6, "0")}`
      const target = { id: `backup-${stamps}`, stamp, format }
      const made = driver.backup?.(ground.service, ground.container(), target, directWork(ground.service.host))
      return { stamp, made: made ?? assert.fail("no backup") }
    }
    const root = (script: string) => ground.docker("exec", "-u", "0", ground.container().id, "sh", "-euc", script)
    /** `$real` is what stood there, which pg_dumpall asks for its version. */
    const lying = async (text: string, attempt: () => Promise<unknown>) => {
      const files = backupFiles(ground)
      const lie = Buffer.from(`#!/bin/sh\nreal=$0.real\n[ "$1" != -V ] || exec "$real" -V\n${text}\n`).toString(
        "base64",
      )
      root(`p=$(command -v pg_dump); mv "$p" "$p.real"; echo ${lie} | base64 -d >"$p"; chmod 755 "$p"`)
      try {
        await attempt()
      } finally {
        root(`p=$(command -v pg_dump); mv "$p.real" "$p"`)
      }
      assert.deepEqual(backupFiles(ground), files)
      await until(() => assert.equal(ownSessions(ground), "0"))
      assert.equal(root("ls /tmp | grep infra-actions || :"), "")
    }

    for (const format of ["custom", "plain"] as const)
      it(`${format}: its end is missing, whatever pg_dump says`, () =>
        lying('"$real" "$@" | head -c -100', () =>
          assert.rejects(backUp(format).made, {
            message: /could not read from input file: end of file|stored dump is not good/,
          }),
        ))

    for (const format of ["custom", "directory", "plain"] as const)
      it(`${format}: a table was left out`, () =>
        lying('exec "$real" --exclude-table=public.kept "$@"', () =>
          assert.rejects(backUp(format).made, { message: /does not hold what was counted: data of 1 tables, 2 were/ }),
        ))

    it("plain: a row was left out", () =>
      lying('"$real" "$@" | gzip -dc | grep -v "^777$" | gzip', () =>
        assert.rejects(backUp("plain").made, { message: /does not hold what was counted/ }),
      ))

    it("what was stored changed behind the writer's back", async () => {
      const files = backupFiles(ground)
      const path = process.env.PATH
      process.env.PATH = `${changing}:${path}`
      try {
        // What is packed by zstd as a whole may be followed by nothing: its decoder may see that first.
        const message = `the stored (bytes are not those that were dumped${major === 15 ? "|dump is not good" : ""})`
        await assert.rejects(backUp("custom").made, { message: new RegExp(message) })
      } finally {
        process.env.PATH = path
      }
      assert.deepEqual(backupFiles(ground), files)
    })

    it("an honest one is", async () => {
      for (const format of ["custom", "directory", "plain"] as const)
        assert.equal((await backUp(format).made).contents.kind, "postgres")
    })
  })
