import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { remoteScript } from "../../src/remote/scripts.ts"
import { shells } from "../support/shell-work.ts"

for (const [program, ...words] of shells) {
  const run = (name: string, ...args: readonly string[]) =>
    execFileSync(program, [...words, "-c", remoteScript(name), "sh", ...args], { stdio: "pipe", encoding: "utf8" })

  describe(`set-aside and back under ${[program, ...words].join(" ")}`, () => {
    it("renames, puts an empty directory in place, and undoes it", () => {
      using ground = parent()
      run("set-aside", ground.path, "my data", "my data.aside")
      assert.deepEqual(readdirSync(join(ground.path, "my data")), [])
      assert.equal(statSync(join(ground.path, "my data")).mode & 0o777, 0o700)
      writeFileSync(join(ground.path, "my data", "new"), "new")
      assert.equal(run("put-aside-back", ground.path, "my data", "my data.aside", "my data.failed"), "kept\n")
      assert.equal(readFileSync(join(ground.path, "my data", "old"), "utf8"), "old")
      assert.equal(readFileSync(join(ground.path, "my data.failed", "new"), "utf8"), "new")
      run("put-aside-back", ground.path, "my data", "my data.aside", "my data.failed")
      assert.equal(readFileSync(join(ground.path, "my data", "old"), "utf8"), "old")
    })

    it("comes back from a rename that was cut off before the empty directory was there", () => {
      using ground = parent()
      run("set-aside", ground.path, "my data", "my data.aside")
      rmSync(join(ground.path, "my data"), { recursive: true })
      assert.equal(run("put-aside-back", ground.path, "my data", "my data.aside", "my data.failed"), "")
      assert.deepEqual(readdirSync(ground.path), ["my data"])
    })

    it("is looked for and removed by the names that only it has", () => {
      using ground = parent()
      const [aside, failed] = [
        "my data.aside-backup-20260131-020000-030000",
        "my data.failed-backup-20260131-020000-030000",
      ]
      run("set-aside", ground.path, "my data", aside)
      const told = run("aside-look", ground.path, aside, failed, "none.aside-backup-20260131-020000-030000").toString()
      assert.match(told, /^\d+ my data\.aside-backup-20260131-020000-030000\nend\n$/)
      for (const name of [
        "my data",
        "my data.aside",
        `${aside}1`,
        ".",
        "..",
        `../x.aside-backup-20260131-020000-030000`,
      ])
        assert.throws(() => run("aside-forget", ground.path, aside, name), name)
      assert.ok(existsSync(join(ground.path, aside, "old")))
      run("aside-forget", ground.path, aside, failed)
      assert.deepEqual(readdirSync(ground.path), ["my data"])
    })

    it("never moves onto what is there", () => {
      using ground = parent()
      mkdirSync(join(ground.path, "my data.aside"))
      assert.throws(() => run("set-aside", ground.path, "my data", "my data.aside"), /is there already/)
      assert.ok(existsSync(join(ground.path, "my data", "old")))
    })
  })
}

function parent(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "t-aside-"))
  mkdirSync(join(path, "my data"))
  writeFileSync(join(path, "my data", "old"), "old")
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
