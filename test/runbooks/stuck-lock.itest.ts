import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { claimLease } from "../../src/host/claim-lease.ts"
import { localHost } from "../../src/host/local.ts"
import { openWork } from "../../src/host/open-work.ts"
import { change } from "../../src/shell/command.ts"
import { openRunbook } from "./runbook.ts"

const base = mkdtempSync(join(tmpdir(), "infra-actions-runbook-"))
const host = localHost()
after(async () => {
  await host[Symbol.asyncDispose]()
  rmSync(base, { recursive: true, force: true })
})

test("the commands of the runbook, in its order, on a lock that is stuck", async () => {
  const state = `${base}/state/production`
  const holder = { run: "77", attempt: "1", actor: "alice", purpose: "recreate", url: "https://example.org/77" }
  const lease = await claimLease(host, { directory: `${state}/lock`, holder })
  const layout = { work: `${state}/work`, journal: `${state}/journal.jsonl` }
  await openWork(host, { lease, layout, id: "run-77" }).step("stop-writers", change`true`)

  const page = openRunbook("stuck-lock", { project: "locked", base })
  const text = page.runAll()
  assert.match(text("--mode status"), /recreate by alice \(run 77, attempt 1, https:\/\/example\.org\/77\)/)
  assert.match(text("journal.jsonl"), /"step":"stop-writers","state":"end","code":0/)
  assert.match(text("/work"), /^run-77-1-stop-writers$/m)
  assert.match(text("force-release"), /released by force: recreate by alice/)
  assert.match(text("gen.*"), /"actor":"alice"/)
  assert.equal(page.commands.length, 5)
  await assert.rejects(lease.renew(), { code: "lease-lost" })
})
