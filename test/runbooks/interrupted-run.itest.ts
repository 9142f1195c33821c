import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { runTool } from "../fault/tool.ts"
import { redis, sql } from "../job/recreate-ground.ts"
import { removeStack, resetStack } from "../testbed/testbed.ts"
import { openRunbook, program } from "./runbook.ts"

const slot = 3
const directory = mkdtempSync(join(tmpdir(), "infra-actions-runbook-"))
after(async () => {
  rmSync(directory, { recursive: true, force: true })
  await removeStack({ slot })
})

test("the commands of the runbook, in its order, after a restore was killed between its database and its keys", async () => {
  const { project, baseDir: base, ...place } = await resetStack({ slot, app: "v1" })
  const stack = { project, baseDir: base, ...place }
  const config = {
    compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] },
    lock: { stale: "5s", wait: "1m" },
  }
  const page = openRunbook("interrupted-run", { project, base, directory, config })
  const tool = { program, directory, env: { PATH: process.env.PATH, HOME: directory, USER: "runbook" } }
  sql(stack, "create table mark (word text)")
  const { code, log } = await runTool(tool, ["backup"])
  assert.equal(code, 0, log)
  sql(stack, "insert into mark values ('later')")
  redis(stack, "set", "mark", "later")
  await runTool(tool, ["restore"], { step: "note-restored-postgres", nth: 1, delay: 0 })

  const text = page.runAll()
  assert.match(text("--mode status"), /restore by runbook/)
  assert.match(text("journal.jsonl"), /"step":"swap-postgres","state":"end","code":0/)
  assert.match(text("app-stopped.json"), /"awaits":"restore".*"restoring"/)
  assert.match(text("backup"), /Restoring dragonfly, which the restore had not come to/)
  assert.match(text("backup"), /The restore of backup-\S+ is finished: the app starts on its data/)
  assert.equal(page.commands.length, 4)
  assert.equal(sql(stack, "select count(*) from mark"), "0")
  assert.equal(redis(stack, "get", "mark"), "")
  assert.equal((await fetch(`http://127.0.0.1:${stack.httpPort}/health`)).status, 200)
})
