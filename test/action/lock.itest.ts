import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type ActionRun, runAction } from "../support/run-action.ts"
import { testbed } from "../testbed/testbed.ts"

describe("lock, built, against the testbed's host", () => {
  const { ssh } = testbed()
  let workspace: string
  let directory: string
  before(() => {
    workspace = mkdtempSync(join(tmpdir(), "infra-actions-lock-"))
    directory = mkdtempSync("/tmp/infra-actions-lock-host-")
    execFileSync("chown", [ssh.user, directory])
    const host = { address: ssh.address, port: ssh.port, user: ssh.user, directory }
    writeFileSync(join(workspace, "infra.yml"), JSON.stringify({ project: "locked", host, lock: { stale: "2m" } }))
  })
  after(() => {
    rmSync(workspace, { recursive: true, force: true })
    rmSync(directory, { recursive: true, force: true })
  })

  const access = {
    "ssh-key": readFileSync(ssh.keyPath, "utf8"),
    "ssh-known-hosts": readFileSync(ssh.knownHostsPath, "utf8"),
  }
  const lock = (inputs: Record<string, string>, run = "100"): Promise<ActionRun> =>
    runAction("lock", { workspace, inputs: { ...access, ...inputs }, env: { GITHUB_RUN_ID: run } })

  test("taken by one run, refused to another, given back by the job's end", async () => {
    const mine = await lock({ purpose: "first" })
    assert.equal(mine.code, 0, mine.log)
    assert.equal(mine.outputs.acquired, "true")
    assert.match(mine.outputs["lock-number"] ?? "", /^\d+$/)
    assert.ok(Date.parse(mine.outputs["lease-expires"] ?? "") > Date.now())

    const other = await lock({}, "200")
    assert.equal(other.code, 1)
    assert.deepEqual(
      [other.outputs.status, other.outputs.reason, other.outputs.acquired],
      ["refused", "lock-held", "false"],
    )
    assert.match(other.log, /first by test \(run 100, attempt 1, https:\/\/github\.com\/org\/app\/actions\/runs\/100\)/)

    const post = await mine.post()
    assert.equal(post?.code, 0)
    const status = await lock({ mode: "status" })
    assert.deepEqual([status.outputs.acquired, status.outputs.holder, status.outputs["lock-number"]], ["false", "", ""])
  })

  test("a step that was refused the lock gives nobody's lock back", async () => {
    const mine = await lock({})
    const other = await lock({}, "200")
    await other.post()
    const status = await lock({ mode: "status" })
    assert.equal(status.outputs.acquired, "true")
    await mine.post()
  })

  test("kept over jobs, renewed and released by number", async () => {
    const mine = await lock({ keep: "true" })
    await mine.post()
    const number = mine.outputs["lock-number"] ?? ""
    const renewed = await lock({ mode: "renew", "lock-number": number })
    assert.deepEqual([renewed.code, renewed.outputs["lock-number"]], [0, number], renewed.log)
    const stolen = await lock({ mode: "renew", "lock-number": number }, "200")
    assert.deepEqual([stolen.code, stolen.outputs.reason], [1, "lease-lost"])
    const released = await lock({ mode: "release", "lock-number": number })
    assert.deepEqual([released.code, released.outputs.acquired, released.outputs.reason], [0, "false", "done"])
    const again = await lock({ mode: "release", "lock-number": number })
    assert.deepEqual([again.code, again.outputs.reason], [0, "not-held"])
  })

  test("cancelled or killed at any moment of taking it: the post step gives back what it took, and only that", async () => {
    for (const signal of ["SIGINT", "SIGKILL"] as const)
      for (const after of [600, 900, 1200]) {
        const gone = await runAction("lock", {
          workspace,
          inputs: { ...access },
          env: { GITHUB_RUN_ID: "100" },
          signals: [{ signal, after }],
        })
        await gone.post()
        const status = await lock({ mode: "status" })
        assert.equal(status.outputs.holder, "", `${signal} after ${after} ms: ${gone.log}`)
      }
    const theirs = await lock({}, "200")
    const refused = await lock({})
    await refused.post()
    assert.match((await lock({ mode: "status" })).outputs.holder ?? "", /run 200/)
    await theirs.post()
  })

  test("re-run: a later attempt takes over from the first, which cannot give it away any more", async () => {
    const attempt = (number: string, inputs: Record<string, string>) =>
      runAction("lock", {
        workspace,
        inputs: { ...access, ...inputs },
        env: { GITHUB_RUN_ID: "100", GITHUB_RUN_ATTEMPT: number },
      })
    const first = await attempt("1", { keep: "true" })
    const second = await attempt("2", { keep: "true" })
    assert.equal(second.code, 0, second.log)
    assert.match(second.log, /taking over from an earlier attempt of this run/)
    const late = await attempt("1", { mode: "release", "lock-number": first.outputs["lock-number"] ?? "" })
    assert.equal(late.outputs.reason, "not-held")
    const released = await attempt("2", { mode: "release", "lock-number": second.outputs["lock-number"] ?? "" })
    assert.equal(released.outputs.reason, "done", released.log)
  })

  test("waits for another holder; a person can force it", async () => {
    const mine = await lock({ keep: "true" })
    const waiting = lock({ "lock-wait": "20s" }, "200")
    await lock({ mode: "release", "lock-number": mine.outputs["lock-number"] ?? "" })
    const next = await waiting
    assert.equal(next.outputs.acquired, "true", next.log)
    const forced = await lock({ mode: "force-release" }, "300")
    assert.deepEqual([forced.code, forced.outputs.holder], [0, ""])
    assert.match(forced.log, /released by force: .*run 200/)
  })

  test("what is wrong is told with the input's name, and the host is left alone", async () => {
    const wrong = readFileSync(ssh.wrongKnownHostsPath, "utf8")
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ "ssh-known-hosts": "" }, /ssh-known-hosts/],
      [{ "ssh-known-hosts": wrong }, /SHA256:.*SHA256:/s],
      [{ "ssh-key": "" }, /ssh-key/],
      [{ "ssh-key": "no key" }, /ssh-key.*not a private key/],
      [{ "ssh-key": readFileSync(ssh.refusedKeyPath, "utf8") }, /ssh-key/],
      [{ mode: "release" }, /lock-number.*needed to release/],
      [{ mode: "relaese" }, /input `mode`.*relaese/],
      [{ config: "missing.yml" }, /input `config`: .*missing\.yml/],
      [{ purpse: "x" }, /no input `purpse`; did you mean `purpose`\?/],
    ]
    for (const [inputs, message] of cases) {
      const run = await lock(inputs)
      assert.equal(run.code, 1, JSON.stringify(inputs))
      assert.match(run.log, message)
      assert.equal(run.outputs.acquired, "false")
    }
    const status = await lock({ mode: "status" })
    assert.equal(status.outputs.holder, "")
  })
})
