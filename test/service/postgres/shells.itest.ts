import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import type { RunResult } from "../../../src/host/host.ts"
import type { StepOptions, Work } from "../../../src/host/work.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import type { Command } from "../../../src/shell/command.ts"
import { Secret } from "../../../src/shell/secret.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver({ besideFrom: 0 })
const tables = readFileSync(new URL("./hostile-database.sql", import.meta.url), "utf8")

describe("backup and restore scripts under every shell, on the host, in the container and in the one beside it", () => {
  let ground: Ground
  let imageId = ""
  before(async () => {
    ground = await openGround("shells", { major: 15, config: { databases: ["app"] } })
    ground.sql("app", tables)
    ground.docker("cp", "/bin/busybox", `${ground.container().id}:/bin/busybox`)
    imageId = ground.docker("commit", ground.container().id).trim()
  })
  after(async () => {
    await using _ = ground
    ground.docker("rmi", imageId)
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  for (const [at, shell] of ["dash", "bash --posix", "busybox sh"].entries()) {
    it(shell, async () => {
      const target = { id: `backup-2026010${at + 1}-000000`, stamp: `2026-01-0${at + 1}-000000` }
      const container = { ...ground.container(), imageId }
      const backup = await driver.backup?.(ground.service, container, target, workIn(shell, ground))
      assert.ok(backup)
      const report = await driver.restore?.(ground.service, container, backup, workIn(shell, ground))
      assert.deepEqual([report?.tables, report?.rows], [10, 4163])
    })
  }
})

/** Runs steps as files by this shell, and has it run what goes into the container too. */
function workIn(shell: string, ground: Ground): Work {
  const [program = "", ...words] = shell.split(" ")
  return {
    ...directWork(ground.service.host),
    async step(_name: string, command: Command, { input }: StepOptions = {}): Promise<RunResult> {
      const inContainer = command.text.replaceAll(/(docker exec (?:-i )?\S+) sh -c/g, `$1 ${shell} -c`)
      assert.notEqual(inContainer, command.text)
      const file = `${ground.backups}.step`
      writeFileSync(file, inContainer)
      const run = promisify(execFile)(program, [...words, file])
      run.child.stdin?.end(input instanceof Secret ? input.reveal() : input)
      const { stdout, stderr } = await run
      assert.doesNotMatch(stdout, /^\S+ inside /m)
      return { command, code: 0, stdout, stderr, duration: 0 }
    },
  }
}
