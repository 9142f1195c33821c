import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const directory = fileURLToPath(new URL("../../src/remote/", import.meta.url))
const scripts = readdirSync(directory).filter((name) => name.endsWith(".sh"))

test("there are scripts to check", () => {
  assert.ok(scripts.length >= 4, `only ${scripts.length} in ${directory}`)
})

for (const name of scripts) {
  test(`shellcheck ${name}`, async () => {
    await promisify(execFile)("shellcheck", ["--shell=sh", name], { cwd: directory }).catch((error) => {
      assert.fail(error.stdout || error.message)
    })
  })
}
