import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { root } from "../../script/build-steps/places.ts"

/** Runs planted files, shell programs here, as script/test runs the testbed's; what it says, and its exit code. */
function sideBySide(files: Readonly<Record<string, string>>, limits = "") {
  const folder = mkdtempSync(join(tmpdir(), "t-side-by-side-"))
  try {
    mkdirSync(join(folder, "results"))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const program = `set -eu; . "$0"; results=results; ${limits}
      one() { timeout -k 1 "$2" sh "$1"; }
      side_by_side "$@"; summary "$@"`
    const words = ["-c", program, join(root, "script/test-steps/side-by-side.sh"), ...Object.keys(files)]
    const { status, stdout, stderr } = spawnSync("sh", words, { cwd: folder, encoding: "utf8" })
    assert.equal(stderr, "")
    return { status, stdout, last: stdout.trimEnd().split("\n").at(-1) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const count = (pass: number, fail = 0) => `echo 'ℹ tests ${pass + fail}
ℹ pass ${pass}
ℹ fail ${fail}
ℹ cancelled 0
ℹ skipped 1'`
const good = count(2)
const bad = `echo '  ✖ the row is there (12ms)'; ${count(1, 1)}; exit 1`

test("all files run once, and their tests are added up", () => {
  const names = ["a", "b", "c", "d", "e", "f"]
  const { status, stdout, last } = sideBySide(
    Object.fromEntries(names.map((name) => [name, `echo ran ${name}; ${good}`])),
  )
  assert.equal(status, 0, stdout)
  assert.deepEqual(
    [...stdout.matchAll(/^ran (.)$/gm)].map(([, name]) => name),
    names,
  )
  assert.equal(last, "12 passed, 0 failed, 6 skipped")
})

test("what fails once runs again when all others have ended, and both are told with the first output", () => {
  const flaky = `[ ! -e tried ] || { [ -e slow-ended ] && ${good}; exit; }; : >tried; ${bad}`
  const { status, stdout, last } = sideBySide({ flaky, slow: `sleep 0.2; : >slow-ended; ${good}` })
  assert.equal(status, 0, stdout)
  assert.match(stdout, /^failed under load, passed alone: flaky \(first failure: the row is there\)$/m)
  assert.match(stdout, /== flaky\n {2}✖ the row is there \(12ms\)\n/)
  assert.equal(last, "4 passed, 0 failed, 2 skipped")
})

test("what fails twice fails the run", () => {
  const { status, stdout, last } = sideBySide({ bad, good })
  assert.equal(status, 1)
  assert.match(stdout, /^failed twice: bad \(first failure: the row is there\)$/m)
  assert.equal(last, "3 passed, 1 failed, 2 skipped")
})

test("a file that hangs is ended and named; one that stops before its tests did, or has none, has failed", () => {
  const files = { hangs: "sleep 60", stops: "exit 0", crashes: "exit 7", empty: count(0) }
  const { status, stdout, last } = sideBySide(files, "FILE_LIMIT=1")
  assert.equal(status, 1)
  assert.match(stdout, /^failed twice: hangs \(first failure: hangs was ended at its limit of 1 s\)$/m)
  assert.match(stdout, /^failed twice: stops \(first failure: stops ended with code 0 before its tests did\)$/m)
  assert.match(stdout, /^failed twice: crashes \(first failure: crashes ended with code 7\)$/m)
  assert.match(stdout, /^failed twice: empty \(/m)
  assert.equal(last, "0 passed, 4 failed, 1 skipped")
})
