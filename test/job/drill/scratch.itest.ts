import assert from "node:assert/strict"
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { layout } from "../../../src/core/layout.ts"
import { localHost } from "../../../src/host/local.ts"
import { clearLeftovers, scratchFolder } from "../../../src/job/drill/scratch.ts"
import type { Tools } from "../../../src/job/tools.ts"
import { stackTools } from "../../support/stack-tools.ts"

test("a drill leaves alone what one of another project has fetched into the same backup directory", async () => {
  await using host = localHost()
  const directory = mkdtempSync(join(tmpdir(), "t-scratch-"))
  const toolsOf = (project: string): Tools => {
    const { config: own, ...tools } = stackTools({ project, baseDir: `${directory}/${project}` }, { host })
    const config = { ...own, backup: { ...own.backup, directory: `${directory}/backups` } }
    return { ...tools, config, layout: layout(config) }
  }
  try {
    const [ours, theirs] = [toolsOf("t-scratch-ours"), toolsOf("t-scratch-theirs")]
    for (const tools of [ours, theirs]) mkdirSync(`${scratchFolder(tools)}/postgres`, { recursive: true })
    await clearLeftovers(ours)
    assert.deepEqual([existsSync(scratchFolder(ours)), existsSync(scratchFolder(theirs))], [false, true])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
