import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { after, before, describe, test } from "node:test"
import { formatRelease, type Release } from "../../src/core/release.ts"
import { type GitGround, gitGround } from "../support/git-repository.ts"
import { runAction } from "../support/run-action.ts"
import { testbed } from "../testbed/testbed.ts"

describe("detect-changes, built, against the testbed's host", () => {
  const { ssh } = testbed()
  let ground: GitGround
  let directory: string
  let first: string
  let second: string
  before(() => {
    ground = gitGround()
    directory = mkdtempSync("/tmp/infra-actions-detect-host-")
    const host = { address: ssh.address, port: ssh.port, user: ssh.user, directory }
    const paths = { infra: ["infra/"], app: ["app/"], migrations: ["migrations/"] }
    const config = JSON.stringify({ project: "shop", host, paths })
    first = ground.commit({ "infra.yml": config, "app/a": "1", "infra/b": "1" })
    second = ground.commit({ "app/a": "2" })
    mkdirSync(`${directory}/state/production`, { recursive: true })
    execFileSync("chown", ["-R", ssh.user, directory])
  })
  after(() => {
    ground[Symbol.dispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  const access = {
    "ssh-key": readFileSync(ssh.keyPath, "utf8"),
    "ssh-known-hosts": readFileSync(ssh.knownHostsPath, "utf8"),
  }
  const detect = (inputs: Readonly<Record<string, string>> = access) =>
    runAction("detect-changes", {
      workspace: ground.checkout(second),
      inputs,
      event: { name: "push", payload: { ref: "refs/heads/main", before: first } },
    })
  const record = (...releases: readonly Pick<Release, "kind" | "commit" | "status">[]) => {
    const lines = releases.map((one, index) =>
      formatRelease({
        format: 1,
        id: `r${index}`,
        time: "2026-01-01T00:00:00Z",
        images: [],
        run: { id: "1", url: "", actor: "a" },
        ...one,
      }),
    )
    writeFileSync(`${directory}/state/production/releases.jsonl`, lines.join(""))
  }
  const changed = (outputs: Readonly<Record<string, string>>) =>
    ["infra", "app", "migrations"].map((part) => outputs[`${part}-changed`]).join(" ")

  test("a host on which nothing was ever deployed: everything", async () => {
    const { code, outputs, log } = await detect()
    assert.equal(code, 0, log)
    assert.deepEqual([changed(outputs), outputs.base, outputs["base-source"]], ["true true true", "", "none"])
  })

  test("what the host says is deployed decides, part by part, and not the push", async () => {
    record({ kind: "recreate", commit: second, status: "good" }, { kind: "deploy", commit: first, status: "good" })
    const { code, outputs, summary } = await detect()
    assert.equal(code, 0)
    assert.deepEqual([changed(outputs), outputs.base, outputs["base-source"]], ["false true false", first, "deployed"])
    assert.match(summary, /\| app \| 1 \| compared with .* \| app\/a \|/)
    record(
      { kind: "recreate", commit: second, status: "good" },
      { kind: "deploy", commit: first, status: "good" },
      { kind: "deploy", commit: second, status: "bad" },
    )
    assert.equal(changed((await detect()).outputs), "false true false", "a bad release is not deployed")
  })

  test("a history that cannot be read: everything, and it says why", async () => {
    record({ kind: "recreate", commit: second, status: "good" }, { kind: "deploy", commit: second, status: "good" })
    writeFileSync(`${directory}/state/production/releases.jsonl`, "garbage\n{}\n", { flag: "a" })
    const { outputs, log } = await detect()
    assert.equal(changed(outputs), "true true true")
    assert.match(log, /::warning::.*line 5 cannot be read/)
  })

  test("without access to the host: the event's base, and it says so", async () => {
    const { code, outputs, log } = await detect({})
    assert.equal(code, 0)
    assert.deepEqual([changed(outputs), outputs.base, outputs["base-source"]], ["false true false", first, "event"])
    assert.match(log, /::warning::no `ssh-key` was given/)
  })

  test("a host that does not answer is an error, not a guess", async () => {
    const { code, outputs } = await detect({
      ...access,
      "ssh-known-hosts": readFileSync(ssh.wrongKnownHostsPath, "utf8"),
    })
    assert.equal(code, 1)
    assert.equal(outputs.status, "failed")
    assert.equal(changed(outputs), "true true true")
  })
})
