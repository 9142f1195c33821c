import assert from "node:assert/strict"
import { test } from "node:test"
import { configSchema } from "../../src/core/config.ts"
import type { Manifest, ServiceBackup } from "../../src/core/manifest.ts"
import { assertNothingLost } from "../../src/job/assert-nothing-lost.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { keysOf, manifestOf, postgresOf } from "../support/manifests.ts"

const earlier = manifestOf("backup-20261120-030000", {
  services: [postgresOf("db", { app: { users: 900, jobs: 500, one: 1, log: 90_000 } })],
})

/** Warnings about a backup of these rows, or of these services. */
function warnings(
  app: Record<string, number>,
  options: { critical?: string[]; limit?: number; before?: Manifest; after?: ServiceBackup } = {},
): string {
  const { before = earlier, after = postgresOf("db", { app }) } = options
  const said: string[] = []
  const parsed = configSchema.parse({
    project: "shop",
    host: { address: "local" },
    services: { db: { kind: "postgres", "critical-tables": options.critical ?? [] } },
    backup: { "max-row-loss": options.limit ?? 0.5 },
  })
  const config = { ...parsed, environment: "test" }
  const log = { ...silentLogger, warning: (line: string) => void said.push(line) }
  assertNothingLost({ config, log }, [before], [after])
  return said.join("\n")
}

test("tables that lost most of their rows are told, small ones and those that lost less are not", () => {
  assert.equal(warnings({ users: 450, jobs: 499, one: 0, log: 90_000 }), "")
  assert.match(
    warnings({ users: 900, jobs: 2, log: 90_000 }),
    /keep the older backup: db\/app: public\.jobs has 2 rows, 500 in backup-20261120-030000$/,
  )
  assert.equal(warnings({ users: 900, jobs: 0, log: 90_000 }, { limit: 1 }), "")
})

test("a critical table that lost more than the limit is no backup, however large the rest", () => {
  const lost = { users: 449, jobs: 500, one: 1, log: 90_000 }
  for (const critical of ["users", "public.users"])
    assert.throws(() => warnings(lost, { critical: [critical] }), {
      code: "rows-lost",
      message: "db/app: public.users has 449 rows, 900 in its last proven backup (backup-20261120-030000)",
    })
  assert.throws(() => warnings({ jobs: 500, log: 90_000 }, { critical: ["public.one"] }), { code: "rows-lost" })
  assert.match(warnings(lost, { critical: ["other.users"] }), /public\.users has 449 rows/)
  assert.equal(warnings(lost, { critical: ["users"], limit: 1 }), "")
})

test("a store without any key is told where the last backup has some, though these may have run out", () => {
  const before = manifestOf("backup-20261120-030000", { services: [keysOf("cache", [{ keys: 7, expires: 7 }])] })
  const said = (...counts: Parameters<typeof keysOf>[1] & {}) =>
    warnings({}, { before, after: keysOf("cache", counts) })
  assert.match(said(), /^cache has 0 keys, 7 in backup-20261120-030000: if the time .* look at cache before/)
  assert.equal(said({ keys: 1, expires: 1 }), "")
})
