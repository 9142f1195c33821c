import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { after, before, test } from "node:test"
import { claimLease } from "../../src/host/claim-lease.ts"
import { localHost } from "../../src/host/local.ts"
import { openWork } from "../../src/host/open-work.ts"
import { change } from "../../src/shell/command.ts"

const root = resolve(import.meta.dirname, "../..")
const page = readFileSync(join(root, "docs/runbooks/stuck-lock.md"), "utf8")
const commands = [...page.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = ""]) =>
  block.trim().split(/\n */),
)

const base = mkdtempSync(join(tmpdir(), "infra-actions-runbook-"))
const host = localHost()
before(() => {
  mkdirSync(join(base, "bin"))
  const program = `#!/bin/sh\nexec '${process.execPath}' '${root}/actions/cli/main.ts' "$@"\n`
  writeFileSync(join(base, "bin/infra-actions"), program, { mode: 0o755 })
  const config = { project: "locked", host: { address: "local", directory: base } }
  writeFileSync(join(base, "infra.yml"), JSON.stringify(config))
})
after(async () => {
  await host[Symbol.asyncDispose]()
  rmSync(base, { recursive: true, force: true })
})

function run(command: string) {
  const line = command.replaceAll("/opt/PROJECT", base)
  const env = { PATH: `${base}/bin:${process.env.PATH}`, HOME: base }
  const { status, stdout, stderr } = spawnSync("sh", ["-c", line], { cwd: base, encoding: "utf8", env })
  return { status, text: stdout + stderr }
}

test("the commands of the runbook, in its order, on a lock that is stuck", async () => {
  const state = `${base}/state/production`
  const holder = { run: "77", attempt: "1", actor: "alice", purpose: "recreate", url: "https://example.org/77" }
  const lease = await claimLease(host, { directory: `${state}/lock`, holder })
  const layout = { work: `${state}/work`, journal: `${state}/journal.jsonl` }
  await openWork(host, { lease, layout, id: "run-77" }).step("stop-writers", change`true`)

  const shown = commands.map((command) => [command, run(command)] as const)
  for (const [command, { status, text }] of shown) assert.equal(status, 0, `${command}: ${text}`)
  const text = (part: string) => shown.find(([command]) => command.includes(part))?.[1].text ?? assert.fail(part)
  assert.match(text("--mode status"), /recreate by alice \(run 77, attempt 1, https:\/\/example\.org\/77\)/)
  assert.match(text("journal.jsonl"), /"step":"stop-writers","state":"end","code":0/)
  assert.match(text("/work"), /^run-77-1-stop-writers$/m)
  assert.match(text("force-release"), /released by force: recreate by alice/)
  assert.match(text("gen.*"), /"actor":"alice"/)
  assert.equal(commands.length, 5)
  await assert.rejects(lease.renew(), { code: "lease-lost" })
})
