import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("../../", import.meta.url))
const remote = readdirSync(join(root, "src/remote")).filter((name) => name.endsWith(".sh"))
const ours = [
  ".ci/run",
  "script/bench",
  "script/build",
  "script/check",
  "script/demo",
  "script/setup",
  "script/test",
  "script/test-steps/side-by-side.sh",
  "test/testbed/restart-engine",
  "test/testbed/stack",
]

test("there are scripts to check", () => assert.ok(remote.length > 20))

test("what runs on the host is clean to shellcheck", () => check(join(root, "src/remote"), ["--shell=sh", ...remote]))

test("so is what a person types", () => check(root, ["--external-sources", ...ours]))

async function check(cwd: string, words: readonly string[]): Promise<void> {
  await promisify(execFile)("shellcheck", words, { cwd }).catch((error) => assert.fail(error.stdout || error.message))
}
