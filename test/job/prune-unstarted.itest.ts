import assert from "node:assert/strict"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { pruneUnstarted } from "../../src/job/prune-unstarted.ts"
import { sh } from "../../src/shell/command.ts"
import { directWork } from "../support/direct-work.ts"

test("a throw-away container that a kill left made and never started goes, but not one that may be about to start", async () => {
  await using host = localHost()
  const create = sh`docker create --label infra-actions.scratch=1 --label infra-actions.testbed=1 infra-testbed/base:bookworm true`
  const id = (await host.run(create)).stdout.trim()
  const isThere = async () => (await host.run(sh`docker inspect ${id}`, { allow: "any" })).code === 0
  await pruneUnstarted({ host, work: directWork(host) })
  assert.equal(await isThere(), true)
  // Other tests' are about to start.
  await new Promise((resolve) => setTimeout(resolve, 6000))
  await pruneUnstarted({ host, work: directWork(host) }, "5s")
  assert.equal(await isThere(), false)
})
