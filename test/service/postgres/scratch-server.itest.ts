import assert from "node:assert/strict"
import { it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import type { Stack } from "../../../src/docker/stack.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { openGround, until } from "./postgres-ground.ts"

const driver = postgresDriver()

it("a throw-away server has the first role and database of the real one, wherever they stand, and the settings that count", async () => {
  await using ground = await openGround("scratch", { major: 17, prefix: "t-pgr" })
  const set = (value: string) => ground.sql("app", `alter system ${value};\nselect pg_reload_conf()`)
  set("set timezone = 'Asia/Kathmandu'")
  set("set datestyle = 'SQL, DMY'")
  const { recipe } = driver.scratch ?? assert.fail()
  const environment = { POSTGRES_USER_FILE: "/run/secrets/user", POSTGRES_DB_FILE: "/run/secrets/database" }
  const definition = async () => ({ services: [{ name: "postgres", environment }] })
  const service = { ...ground.service, stack: { ...ground.service.stack, definition } as unknown as Stack }
  const needs = { backup: {} as ServiceBackup, memory: 2 ** 30 }
  const made = await recipe(service, ground.container(), needs)
  assert.deepEqual((await recipe(service, undefined, needs)).environment, { POSTGRES_PASSWORD: "no-network" })
  const variables = Object.entries(made.environment).flatMap(([name, value]) => ["--env", `${name}=${value}`])
  const flags = ["--detach", "--network", "none", "--label", "infra-actions.testbed=1", ...variables]
  const id = ground.docker("run", ...flags, ground.container().image, ...made.command).trim()
  try {
    const inside = (...words: readonly string[]) => ground.docker("exec", id, ...words)
    await until(() => inside("pg_isready", "-q", "-h", "127.0.0.1"))
    const sql = "select (select rolname from pg_roles where oid = 10), timestamptz '2026-02-01 00:00Z'"
    assert.equal(inside("psql", "-AtX", "-U", "clinic", "-d", "app", "-c", sql), "clinic|01/02/2026 05:45:00 +0545\n")
  } finally {
    ground.docker("rm", "--force", "--volumes", id)
  }
})
