import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"

const root = join(import.meta.dirname, "../..")
const program = join(process.env.INFRA_ACTIONS_CACHE ?? "/var/cache/infra-actions", "bin/zizmor")
const pipeline = join(root, ".github/workflows/pipeline.yml")

describe("zizmor", () => {
  let folder: string
  before(() => {
    execFileSync(join(root, "script/setup"), ["lint"], { stdio: "ignore" })
    folder = mkdtempSync(join(tmpdir(), "infra-actions-zizmor-"))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Offline; what it found, and status 0 when that is nothing. */
  function audit(...files: readonly string[]) {
    const config = join(import.meta.dirname, "zizmor.yml")
    const { status, stdout, stderr } = spawnSync(
      program,
      ["--offline", "--no-progress", "--config", config, ...files],
      {
        encoding: "utf8",
      },
    )
    return { status, report: stdout + stderr }
  }

  test("finds nothing in the workflow, in the templates of workflows and in the actions", () => {
    const templates = readdirSync(join(root, "action-templates"))
      .map((name) => join(root, "action-templates", name))
      .filter((path) => path.endsWith(".yml") && /^jobs:$/m.test(readFileSync(path, "utf8")))
    assert.ok(templates.length >= 5)
    const { status, report } = audit(pipeline, ...templates, join(root, "actions"))
    assert.equal(status, 0, report)
  })

  test("would find an injection", () => {
    const path = join(folder, "pipeline.yml")
    writeFileSync(path, readFileSync(pipeline, "utf8").replace("bad=0", "bad=0; echo ${{ inputs.force }}"))
    const { status, report } = audit(path)
    assert.notEqual(status, 0)
    assert.match(report, /template-injection/)
  })
})
