import assert from "node:assert/strict"
import { test } from "node:test"
import { failure } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { undoRestore } from "../../src/job/undo-restore.ts"
import type { ServiceDriver } from "../../src/service/driver.ts"
import { change } from "../../src/shell/command.ts"
import { openPaper } from "../support/paper-stack.ts"

// The servers are on paper here, so that every pair of deaths can be tried; test/action and test/fault have real ones.
type Half = "untouched" | "half"
interface Paper {
  data: string
  kept: { name: string; run: string; data: string; at: number }[]
  half: Half
}

function world() {
  const one = (data: string, run: string): Paper => ({
    data,
    kept: [{ name: `old-${run}`, run, data: "before", at: 1 }],
    half: "untouched",
  })
  const servers: Record<string, Paper> = { cache: one("restored", "r"), db: one("restored", "r") }
  let [tick, refused] = [1, false]
  const of = (name: string) => servers[name] ?? assert.fail(name)
  const driver = (kind: "redis" | "postgres"): ServiceDriver => ({
    kinds: [kind],
    probe: () => assert.fail(),
    replaced: async ({ name }) =>
      of(name).kept.map((kept) => ({
        name: kept.name,
        was: name,
        run: kept.run,
        bytes: 1,
        at: new Date(Date.now() - 60_000 + kept.at).toISOString(),
      })),
    undo: async ({ name }, _container, work, run) => {
      const paper = of(name)
      if (refused && name === "db") throw failure("refused", "not now")
      const last = paper.kept.filter((kept) => run === undefined || kept.run === run).at(-1)
      if (!last) throw failure("nothing-to-undo", "nothing")
      const move = () => {
        paper.kept = paper.kept.filter((kept) => kept !== last)
        paper.kept.push({ name: `old-${work.id}`, run: work.id, data: paper.data, at: ++tick })
        paper.data = last.data
        paper.half = "untouched"
      }
      await work.step(`stop-${name}`, change`true`)
      if (kind === "postgres") move()
      else paper.half = "half"
      await work.step(`start-${name}`, change`true`)
      if (kind === "redis") move()
      return name
    },
    cutUndos: {
      look: async ({ name }, _container, cut) => {
        if (!of(name).kept.some((kept) => kept.name === cut.name)) return "taken"
        return of(name).half
      },
      back: async ({ name }, _container, _cut, work) => {
        await work.step(`back-${name}`, change`true`)
        of(name).half = "untouched"
      },
    },
  })
  const paper = openPaper(
    [
      { name: "cache", image: "redis" },
      { name: "db", image: "postgres" },
    ],
    [driver("redis"), driver("postgres")],
  )
  return {
    ...paper,
    refuse: (now: boolean) => {
      refused = now
    },
    state: () => [of("cache").data, of("db").data, of("cache").half].join(),
  }
}

for (const refused of [false, true])
  test(`an undo that dies before any step, and so does who settles it, ends whole${refused ? ", also where one service cannot go back" : ""}`, async () => {
    const outcomes = new Set<string>()
    let ended = false
    for (let first = 1; !ended; first++)
      for (const second of [first % 3, 3 + (first % 4)]) {
        await using ground = world()
        ground.refuse(refused)
        ended = await undoRestore(ground.dying(first)).then(
          () => true,
          (error) => !(error instanceof HostError),
        )
        await finishInterrupted(ground.dying(second)).catch(() => undefined)
        const where = `dead before step ${first}, then ${second}`
        const undone = await finishInterrupted(ground.tools())
        const state = ground.state()
        assert.match(
          state,
          refused ? /^restored,restored,untouched$/ : /^(restored,restored|before,before),untouched$/,
          where,
        )
        assert.equal(await readStoppedApp(ground.tools()), undefined, where)
        if (undone !== undefined) assert.match(state, /^before/, where)
        outcomes.add(state)
      }
    assert.equal(outcomes.size, refused ? 1 : 2)
  })

test("an undo that was cut is settled on containers made anew where somebody has removed them", async () => {
  await using ground = world()
  const tools = ground.dying("start-cache")
  await assert.rejects(undoRestore(tools))
  assert.equal(ground.state(), "restored,restored,half")
  for (const name of ["cache", "db"]) ground.turn(name)
  await finishInterrupted(ground.tools())
  assert.equal(ground.state(), "restored,restored,untouched")
  assert.equal(await readStoppedApp(ground.tools()), undefined)
})
