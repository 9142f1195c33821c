import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { describe, test } from "node:test"
import { parse } from "yaml"
import { actionNames, root, scratch } from "../../script/build-steps/places.ts"
import { runAction } from "../support/run-action.ts"

const build = (directory: string, ...words: readonly string[]) =>
  spawnSync(`${directory}/script/build`, words, { encoding: "utf8" })

/** A checkout elsewhere, with the same packages. */
function copyTo(directory: string): void {
  for (const path of ["src", "actions", "script", "dist", "package.json", "infra.schema.json"])
    cpSync(`${root}/${path}`, `${directory}/${path}`, { recursive: true })
  symlinkSync(`${root}/node_modules`, `${directory}/node_modules`)
}

describe("the build", () => {
  test("gives the same bytes in another folder, and --check sees any change", () => {
    using place = scratch()
    copyTo(place.path)
    const clean = build(place.path, "--check")
    assert.equal(clean.status, 0, `${clean.stdout}${clean.stderr}`)
    writeFileSync(`${place.path}/dist/lock/index.js`, "\n", { flag: "a" })
    writeFileSync(`${place.path}/dist/left-over.js`, "")
    writeFileSync(`${place.path}/actions/lock/action.yml`, "\n", { flag: "a" })
    const stale = build(place.path, "--check")
    assert.equal(stale.status, 1)
    for (const path of ["dist/lock/index.js", "dist/left-over.js", "actions/lock/action.yml"])
      assert.ok(stale.stderr.includes(`build to: ${path}\n`), stale.stderr)
  })

  test("holds nothing compiled, nothing of this machine, and every remote script's text", () => {
    const files = readdirSync(`${root}/dist`, { recursive: true, encoding: "utf8" })
    assert.deepEqual(
      files.filter((file) => /\.(node|exe|map)$|-[A-Za-z0-9_]{8}\.js$/.test(file)),
      [],
    )
    const suite = readFileSync(`${root}/dist/chunks/suite.js`, "utf8")
    assert.ok(!suite.includes(root))
    for (const file of readdirSync(`${root}/src/remote`).filter((name) => name.endsWith(".sh")))
      assert.ok(suite.includes(`"${file.slice(0, -3)}": `), `${file} is in the bundle`)
  })

  test("a wrong use is told", () => {
    for (const words of [["--chek"], ["release"], ["release", "a", "b"]]) {
      const { status, stderr } = build(root, ...words)
      assert.equal(status, 2)
      assert.match(stderr, /Usage:/)
    }
  })
})

describe("the published tree", () => {
  test("has every action at its root, and each of them starts and names a missing configuration", async () => {
    using place = scratch()
    const tree = `${place.path}/tree`
    const released = build(root, "release", tree)
    assert.equal(released.status, 0, released.stderr)
    assert.ok(!existsSync(`${tree}/src`) && !existsSync(`${tree}/node_modules`))
    for (const name of actionNames()) {
      const { runs } = parse(readFileSync(`${tree}/${name}/action.yml`, "utf8"))
      assert.equal(runs.main, `../dist/${name}/index.js`)
      const run = await runAction(name, { tree })
      assert.equal(run.code, 1)
      assert.match(
        run.log,
        /^::error title=Wrong input::input `config`: .*infra\.yml cannot be read/m,
        `${name}: ${run.log}`,
      )
      assert.deepEqual([run.outputs.status, run.outputs.reason], ["failed", "config-missing"])
    }
  })

  test("is not written over something else", () => {
    using place = scratch()
    mkdirSync(`${place.path}/tree`)
    writeFileSync(`${place.path}/tree/mine`, "")
    const { status, stderr } = build(root, "release", `${place.path}/tree`)
    assert.notEqual(status, 0)
    assert.match(stderr, /is not empty/)
  })
})
