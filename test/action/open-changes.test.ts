import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { lookOnly, openChanges } from "../../src/action/open-changes.ts"
import { configSchema } from "../../src/core/config.ts"
import { layout } from "../../src/core/layout.ts"
import type { Host } from "../../src/host/host.ts"
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
  const saveState = () => assert.fail("there is no lock to remember")
  const held = await openChanges(inner, options("/nowhere", { dryRun: true, saveState }))
  assert.equal(held.lease, undefined)
  await assert.rejects(held.host.run(change`true`), { code: "change-in-dry-run" })
})

test("who is cancelled leaves in time although the host does not answer any more", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "t-open-"))
  try {
    await using inner = localHost()
    let dark = false
    const host: Host = { ...inner, run: (...all) => (dark ? new Promise(() => {}) : inner.run(...all)) }
    const abort = new AbortController()
    const said: string[] = []
    const held = await openChanges(host, options(directory, { signal: abort.signal, said }))
    assert.equal(held.lease?.number, 1)
    dark = true
    context.mock.timers.enable({ apis: ["setTimeout"] })
    abort.abort()
    const end = held.end("failed")
    context.mock.timers.tick(5000)
    await end
    assert.match(said.join(), /does not answer; the lock frees itself/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

interface Changes {
  readonly dryRun?: boolean
  readonly saveState?: () => void
  readonly signal?: AbortSignal
  readonly said?: string[]
}

function options(directory: string, { dryRun = false, saveState = () => {}, signal, said = [] }: Changes) {
  const parsed = configSchema.parse({ project: "sample", host: { address: "local", directory } })
  const config = { ...parsed, environment: "production" }
  const run = { id: "1", attempt: "1", actor: "somebody", url: "", sha: "" }
  const log = { ...silentLogger, step: () => {}, warning: (line: string) => void said.push(line) }
  const context = { log, run, signal: signal ?? new AbortController().signal, env: {}, directory: "/" }
  const inputs = { config: "infra.yml", environment: "production", "dry-run": dryRun }
  return {
    ...{ config, name: "recreate", places: layout(config), context: { ...context, mask: () => {}, saveState } },
    inputs: inputs as Parameters<typeof openChanges>[1]["inputs"],
  }
}
