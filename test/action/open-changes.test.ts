import assert from "node:assert/strict"
import { test } from "node:test"
import { lookOnly, openChanges } from "../../src/action/open-changes.ts"
import { configSchema } from "../../src/core/config.ts"
import { layout } from "../../src/core/layout.ts"
import { localHost } from "../../src/host/local.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { change, sh } from "../../src/shell/command.ts"

test("an action that only looks has a host that cannot be changed", async () => {
  await using inner = localHost()
  const { host } = lookOnly(inner, "check-infra")
  assert.equal((await host.run(sh`echo real`)).stdout, "real\n")
  await assert.rejects(host.run(change`true`), { code: "change-in-dry-run" })
})

test("and so has a dry run, which takes no lock", async () => {
  await using inner = localHost()
  const parsed = configSchema.parse({ project: "sample", host: { address: "local", directory: "/nowhere" } })
  const config = { ...parsed, environment: "production" }
  const run = { id: "1", attempt: "1", actor: "somebody", url: "", sha: "" }
  const context = {
    ...{ log: { ...silentLogger, step: () => {} }, run, signal: new AbortController().signal, env: {}, directory: "/" },
    ...{ mask: () => {}, saveState: () => assert.fail("there is no lock to remember") },
  }
  const inputs = { config: "infra.yml", environment: "production", "dry-run": true } as Parameters<
    typeof openChanges
  >[1]["inputs"]
  const held = await openChanges(inner, { config, inputs, context, name: "recreate", places: layout(config) })
  assert.equal(held.lease, undefined)
  await assert.rejects(held.host.run(change`true`), { code: "change-in-dry-run" })
})
