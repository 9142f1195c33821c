import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { assertDetachable, loginEndsWork } from "../../src/host/assert-detachable.ts"
import type { Host } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { remoteScript } from "../../src/remote/scripts.ts"

const root = mkdtempSync(join(tmpdir(), "t-logind-"))
after(() => rmSync(root, { recursive: true }))

interface Machine {
  readonly busctl?: string
  readonly loginctl?: string
  readonly files?: Readonly<Record<string, string>>
}

/** What the script prints on a machine whose programs and files say this; no logind answers here, only their words are real. */
function asked({ busctl, loginctl, files = {} }: Machine): string {
  const place = mkdtempSync(join(root, "m-"))
  for (const folder of ["bin", "run/systemd/system", "etc/systemd/logind.conf.d"])
    mkdirSync(join(place, folder), { recursive: true })
  const program = (name: string, text: string) =>
    writeFileSync(join(place, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  program("id", "case $1 in -un) echo deploy ;; *) echo 1000 ;; esac")
  program("busctl", busctl ?? "exit 1")
  program("loginctl", loginctl ?? "exit 1")
  for (const [path, text] of Object.entries(files)) writeFileSync(join(place, "etc/systemd", path), text)
  const env = { PATH: `${join(place, "bin")}:${process.env.PATH}` }
  const { stdout, status } = spawnSync("sh", ["-c", remoteScript("login-ends-work"), "sh", place], {
    encoding: "utf8",
    env,
  })
  assert.equal(status, 0)
  return stdout
}

const bus = (kill: string, only: string, exclude: string) =>
  `case $5 in KillUserProcesses) echo "b ${kill}" ;; KillOnlyUsers) echo '${only}' ;; *) echo '${exclude}' ;; esac`

describe("whether the end of a login ends our work", () => {
  const cases: readonly (readonly [string, Machine, string])[] = [
    ["busctl says no", { busctl: bus("false", "as 0", "as 0") }, "no"],
    ["busctl says yes", { busctl: bus("true", "as 0", "as 0") }, "yes"],
    ["busctl excludes us", { busctl: bus("true", "as 0", 'as 2 "root" "deploy"') }, "no"],
    ["busctl means others only", { busctl: bus("true", 'as 1 "guest"', "as 0") }, "no"],
    ["busctl means us only", { busctl: bus("true", 'as 1 "deploy"', "as 0") }, "yes"],
    [
      "loginctl, where busctl is missing",
      { loginctl: "printf 'KillUserProcesses=yes\\nKillOnlyUsers=\\nKillExcludeUsers=root\\n'" },
      "yes",
    ],
    ["a file", { files: { "logind.conf": "[Login]\n#KillUserProcesses=no\nKillUserProcesses = yes\n" } }, "yes"],
    [
      "a later file",
      { files: { "logind.conf": "KillUserProcesses=yes\n", "logind.conf.d/a.conf": "KillUserProcesses=no\n" } },
      "no",
    ],
    [
      "the running one before its files",
      { busctl: bus("false", "as 0", "as 0"), files: { "logind.conf": "KillUserProcesses=yes\n" } },
      "no",
    ],
    ["nobody", {}, "unknown"],
  ]
  for (const [name, machine, ends] of cases)
    test(name, () => assert.deepEqual(loginEndsWork(asked(machine)), { user: "deploy", ends }))

  test("root is exempt, and so is a host without systemd", () => {
    assert.equal(loginEndsWork("user root\nuid 0\nsystemd yes\nKillUserProcesses=b true\n").ends, "no")
    assert.equal(loginEndsWork("user deploy\nuid 1000\nsystemd no\n").ends, "no")
  })

  test("a host that ends it is refused, one that does not say is warned about", async () => {
    const saying = (machine: Machine): Host => {
      const local = localHost()
      const stdout = asked(machine)
      return { ...local, name: "shop", run: async (command) => ({ command, code: 0, stdout, stderr: "", duration: 0 }) }
    }
    const warnings: string[] = []
    await assert.rejects(
      assertDetachable(saying({ busctl: bus("true", "as 0", "as 0") }), () => {}),
      { code: "login-ends-work", kind: "refused", hint: /KillExcludeUsers=root deploy/ },
    )
    await assertDetachable(saying({}), (line) => warnings.push(line))
    assert.match(warnings.join(), /shop does not say whether logind ends the work of deploy/)
  })
})
