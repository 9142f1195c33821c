import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { test } from "node:test"
import { directWork } from "../../support/direct-work.ts"
import { redisGround } from "./redis-ground.ts"
import { backup, driver, fill, restore } from "./redis-rounds.ts"

const refused = (command: string, rule: string) => ({
  kind: "refused",
  code: "redis-command-refused",
  message: new RegExp(`^cache refuses the command ${command}: (NOPERM|ERR unknown command) ?`),
  hint: new RegExp(`rename-command, or allow it \\(ACL SETUSER default \\+${rule.replace("|", "\\|")}\\)`),
})

test("a backup names the command that the server has under no name, and leaves nothing", async () => {
  for (const [command, rule] of [
    ["CONFIG", "config|get"],
    ["BGSAVE", "bgsave"],
  ] as const) {
    await using ground = await redisGround(`renamed-${rule.slice(0, 3)}`, { args: ["--rename-command", command, ""] })
    await fill(ground)
    await assert.rejects(backup(ground), refused(command === "CONFIG" ? "CONFIG GET" : command, rule))
    assert.deepEqual(readdirSync(`${ground.backups}/dragonfly`), [])
  }
})

test("a default user who may not do what is dangerous is told which commands are missing, one after another", async () => {
  await using ground = await redisGround("acl", { product: "valkey" })
  await fill(ground)
  const made = await backup(ground)
  await ground.cli("ACL", "SETUSER", "operator", "on", "nopass", "~*", "&*", "+@all")
  const user = (...rules: readonly string[]) =>
    ground.cli("--user", "operator", "--pass", "x", "ACL", "SETUSER", "default", ...rules)
  await user("-@dangerous")
  await assert.rejects(backup(ground), refused("INFO", "info"))
  // Whether it is a replica cannot be told either.
  const how = { work: directWork(ground.service.host), inPlace: false }
  await assert.rejects(
    driver.assertRestorable?.(ground.service, await ground.container(), made, how) ?? assert.fail(),
    refused("INFO", "info"),
  )
  const health = await driver.probe(ground.service, await ground.container())
  assert.deepEqual([health.state, health.checks.map(({ name }) => name)], ["unknown", ["info"]])
  await user("+info")
  const steps: string[] = []
  await assert.rejects(
    restore(ground, made, (name) => void steps.push(name)),
    refused("CONFIG GET", "config|get"),
  )
  await user("+config|get")
  await assert.rejects(restore(ground, made), {
    code: "restore-failed",
    message: /refuses the command SAVE/,
    hint: /\+save/,
  })
  await user("+save", "-ping")
  await assert.rejects(backup(ground), refused("PING", "ping"))
  await user("+ping")
  assert.deepEqual(steps, [])
  assert.equal((await restore(ground, made)).keys, 521)
})
