import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { after, before, describe, test } from "node:test"
import { testbed } from "../testbed/testbed.ts"

const program = resolve(import.meta.dirname, "../../dist/cli/index.js")

describe("the command line, built, against the testbed's host", () => {
  const { ssh } = testbed()
  let workspace: string
  let directory: string
  before(() => {
    workspace = mkdtempSync(join(tmpdir(), "infra-actions-cli-"))
    directory = mkdtempSync("/tmp/infra-actions-cli-host-")
    execFileSync("chown", [ssh.user, directory])
    const host = { address: ssh.address, port: ssh.port, user: ssh.user, directory }
    writeFileSync(join(workspace, "infra.yml"), JSON.stringify({ project: "typed", host }))
  })
  after(() => {
    rmSync(workspace, { recursive: true, force: true })
    rmSync(directory, { recursive: true, force: true })
  })

  function cli(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const access = { SSH_KEY_FILE: ssh.keyPath, SSH_KNOWN_HOSTS_FILE: ssh.knownHostsPath }
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
      cwd: workspace,
      encoding: "utf8",
      env: { PATH: process.env.PATH ?? "", HOME: workspace, ...access, ...env },
    })
    return { code: status, stdout, stderr }
  }

  test("--json prints the outputs as one object on standard output, and nothing else", () => {
    const taken = cli(["lock", "--keep", "--purpose=by hand", "--json"])
    assert.equal(taken.code, 0, taken.stderr)
    const outputs = JSON.parse(taken.stdout)
    assert.equal(outputs.acquired, true)
    assert.match(taken.stderr, /Held by by hand/)
    const released = cli(["lock", "--mode", "release", "--lock-number", outputs["lock-number"]])
    assert.equal(released.code, 0, released.stderr)
    assert.match(released.stdout, /^acquired=false$/m)
  })

  test("a refusal is code 2, with the outputs that are true", () => {
    cli(["lock", "--keep"])
    const second = cli(["lock", "--json"])
    assert.equal(second.code, 2)
    assert.deepEqual([JSON.parse(second.stdout).reason, JSON.parse(second.stdout).acquired], ["lock-held", false])
    assert.match(second.stderr, /^Refused: .*lock is held/m)
    assert.match(second.stderr, /is free in .* at the latest .*`infra-actions lock --mode force-release`/)
    assert.equal(cli(["lock", "--mode", "force-release"]).code, 0)
  })

  test("help comes from the contracts and names every way to give a secret", () => {
    const general = cli(["--help"])
    assert.equal(general.code, 0)
    assert.match(general.stdout, /^ {2}lock .*Takes, renews/m)
    const help = cli(["lock", "--help"])
    assert.equal(help.code, 0)
    assert.match(help.stdout, /--lock-wait DURATION/)
    assert.match(help.stdout, /SSH_KEY/)
    assert.doesNotMatch(help.stdout, /--ssh-key/)
    assert.equal(cli([]).code, 2)
  })

  test("--version tells the version of the package", () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8"))
    assert.deepEqual([cli(["--version"]).code, cli(["--version"]).stdout], [0, `${version}\n`])
  })

  const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
    [["lok"], /there is no action `lok`; did you mean `lock`\?/],
    [["lock", "--mod", "status"], /`lock` has no `--mod`; did you mean `--mode`\?/],
    [["lock", "status"], /`status` is not understood/],
    [["lock", "--mode"], /`--mode` needs a value/],
    [["lock", "--mode", "a", "--mode", "b"], /`--mode` is given twice/],
    [["lock", "--ssh-key", "x"], /everybody on this machine can see[\s\S]*SSH_KEY instead/],
    [["lock", "--json=yes"], /takes no value/],
    [["lock", "--config", "none.yml"], /input `config`: .*none\.yml cannot be read/],
  ]
  for (const [words, message] of mistakes)
    test(`\`${words.join(" ")}\` is told what is wrong`, () => {
      const { code, stderr } = cli(words)
      assert.equal(code, 2)
      assert.match(stderr, message)
    })

  test("the code of check-infra is a verdict, and another one when it came to none", () => {
    for (const words of [["--config", "none.yml"], ["--no-such-flag"]]) {
      const { code, stderr } = cli(["check-infra", ...words])
      assert.equal(code, 4, stderr)
    }
  })

  test("an older Node, which could not read the program, is told which one it takes", () => {
    const older = "data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'22.9.0'}})"
    const { status, stderr } = spawnSync(process.execPath, ["--import", older, program, "--help"], { encoding: "utf8" })
    assert.deepEqual([status, /needs Node 24 or newer/.test(stderr)], [2, true], stderr)
  })

  test("a key file that is not there is named", () => {
    const { code, stderr } = cli(["lock", "--mode", "status"], { SSH_KEY_FILE: "/no/such/key" })
    assert.equal(code, 2)
    assert.match(stderr, /SSH_KEY_FILE: \/no\/such\/key cannot be read/)
  })

  test("no secret is shown, whatever happens", () => {
    const key = readFileSync(ssh.keyPath, "utf8").split("\n")[2] ?? ""
    const { stdout, stderr } = cli(["lock", "--purpose", key, "--mode", "acquire", "--json"], {
      SSH_KEY: readFileSync(ssh.keyPath, "utf8"),
    })
    assert.ok(!stdout.includes(key) && !stderr.includes(key))
    cli(["lock", "--mode", "force-release"])
  })
})
