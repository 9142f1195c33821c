import assert from "node:assert/strict"
import { test } from "node:test"
import { failure } from "../../src/core/errors.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { restore } from "../../src/job/restore.ts"
import { noteStoppedApp, readStoppedApp } from "../../src/job/stopped-app-note.ts"
import type { LeftOfRestore } from "../../src/service/cut-work.ts"
import type { ServiceDriver } from "../../src/service/driver.ts"
import { change } from "../../src/shell/command.ts"
import type { BackupStore } from "../../src/storage/backup-store.ts"
import { keysOf, manifestOf, postgresOf } from "../support/manifests.ts"
import { openPaper } from "../support/paper-stack.ts"

// The servers are on paper here, so that every pair of deaths can be tried; test/action and test/fault have real ones.
const artifact = { file: "f", name: "f", bytes: 1, sha256: "a".repeat(64) }
const manifest = manifestOf("backup-20260131-020000", {
  services: [
    postgresOf("db", {}, [{ ...artifact, role: "database" }]),
    keysOf("cache", [], [{ ...artifact, role: "keys" }]),
  ],
})
const store = {
  name: "local",
  list: async () => ({ backups: [{ manifest }], unreadable: [] }),
  fetch: async () => undefined,
} as unknown as BackupStore

/** `worker`: it takes a key away as soon as the data of before is back. */
function world({ worker = "exited" }: { readonly worker?: "running" | "exited" } = {}) {
  const held = { service: "cache", same: {}, atLeast: { keys: 5 } }
  const data: Record<string, "before" | "restored"> = { db: "before", cache: "before" }
  let [refused, counted] = [false, false]
  const left: LeftOfRestore[] = []
  const driver = (kind: "redis" | "postgres"): ServiceDriver => ({
    kinds: [kind],
    probe: () => assert.fail(),
    restore: async ({ name }, _container, _backup, work) => {
      await work.step(`swap-${name}`, change`true`)
      if (refused && name === "cache") throw failure("refused", "not now")
      data[name] = "restored"
      await work.step(`start-${name}`, change`true`)
      return { tables: 0, rows: 0, keys: 0, kept: "" }
    },
    ...(kind === "redis" && { fingerprint: async () => ({ ...held, atLeast: { keys: 4 } }) }),
    cutRestores: {
      ...(kind === "redis" && { held: async () => (counted ? held : undefined) }),
      ...(kind === "postgres" && { isIn: async ({ name }) => data[name] === "restored" }),
      undo: async ({ name }, _container, _cut, work) => {
        await work.step(`undo-${name}`, change`true`)
        data[name] = "before"
        await work.step(`undone-${name}`, change`true`)
      },
      left: async () => left,
    },
  })
  const paper = openPaper(
    [
      { name: "cache", image: "redis" },
      { name: "db", image: "postgres" },
      { name: "api", image: "shop-api", profile: "app" },
      { name: "worker", image: "shop-worker", state: worker },
    ],
    [driver("redis"), driver("postgres"), { kinds: ["container"], probe: () => assert.fail() }],
  )
  const stored = { stores: [store] }
  return {
    ...paper,
    tools: () => ({ ...paper.tools(), ...stored }),
    dying: (at: number | string) => ({ ...paper.dying(at), ...stored }),
    refuse: (now: boolean) => {
      refused = now
    },
    /** The keys of before were counted when they were moved aside. */
    count: () => {
      counted = true
    },
    left,
    data: () => `${data.db},${data.cache}`,
  }
}

for (const refused of [false, true])
  test(`a restore that dies before any step, and so does who settles it, ends whole${refused ? ", also on its way back" : ""}`, async () => {
    const outcomes = new Set<string>()
    let ended = false
    for (let first = 1; !ended; first++) {
      const second = 1 + ((first * 3) % 8)
      await using ground = world()
      ground.refuse(refused)
      await restore(ground.dying(first)).catch(() => undefined)
      ended = !ground.died()
      ground.refuse(false)
      const where = `dead before step ${first}, then ${second}`
      await finishInterrupted(ground.dying(second)).catch(() => undefined)
      await finishInterrupted(ground.tools())
      assert.match(ground.data(), /^(before,before|restored,restored)$/, where)
      assert.equal(await readStoppedApp(ground.tools()), undefined, where)
      outcomes.add(ground.data())
    }
    assert.equal(outcomes.size, 2)
  })

for (const worker of ["running", "exited"] as const)
  test(`an undone restore whose keys are fewer than they were is ${worker === "running" ? "no loss where a worker beside the app takes them" : "not called undone"}`, async () => {
    await using ground = world({ worker })
    ground.refuse(true)
    ground.count()
    const tools = ground.tools()
    await assert.rejects(restore(tools), { code: "refused" })
    assert.equal(ground.data(), "before,before")
    if (worker === "exited") {
      await assert.rejects(finishInterrupted(ground.tools()), { code: "restore-cut" })
      return
    }
    assert.match(tools.said.join("\n"), /worker may write meanwhile[\s\S]*The restore is undone/)
    assert.equal(await readStoppedApp(ground.tools()), undefined)
  })

test("a cut restore of keys is not forgotten while a part of the data of before lies aside, and what else lies there is named", async () => {
  await using ground = world()
  const only = { services: ["cache"] }
  await assert.rejects(restore(ground.dying("start-cache"), only))
  ground.turn("api", "running")
  ground.left.push({ place: "/somewhere", what: "part" })
  const cut = { code: "restore-cut", message: /\/somewhere holds data of cache that the restore was moving aside/ }
  await assert.rejects(finishInterrupted(ground.tools()), cut)
  assert.notEqual(await readStoppedApp(ground.tools()), undefined)
  ground.left.splice(0, 1, { place: "/elsewhere", what: "kept" }, { place: "/beside", what: "brought" })
  const tools = ground.tools()
  await finishInterrupted(tools)
  assert.match(
    tools.said.join("\n"),
    /held before the restore lies in \/elsewhere[\s\S]*lie in \/beside: nothing needs/,
  )
  assert.equal(await readStoppedApp(ground.tools()), undefined)
})

test("a cut restore in place is not forgotten for an app that somebody has started on what was left, and says which backup has it", async () => {
  await using ground = world()
  await assert.rejects(restore(ground.dying("swap-db")))
  const note = (await readStoppedApp(ground.tools())) ?? assert.fail()
  const restoring = note.restoring ?? assert.fail()
  const inPlace = { force: false, dropped: { db: "backup-20260131-015959" } }
  const dropped = { ...note, restoring: { ...restoring, forward: true, inPlace } }
  await ground.tools().host.run(noteStoppedApp(ground.tools().layout, dropped))
  ground.turn("api", "running")
  await assert.rejects(finishInterrupted(ground.tools()), {
    code: "restore-cut",
    message: /dropped the live data of db \(backup-20260131-015959 holds it\).* restore backup-20260131-020000 again/,
  })
  assert.notEqual(await readStoppedApp(ground.tools()), undefined)
})
