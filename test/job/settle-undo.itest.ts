import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { failure } from "../../src/core/errors.ts"
import type { Container, ServiceDefinition, Stack } from "../../src/docker/stack.ts"
import { HostError } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import type { Tools } from "../../src/job/tools.ts"
import { undoRestore } from "../../src/job/undo-restore.ts"
import type { ServiceDriver } from "../../src/service/driver.ts"
import { change } from "../../src/shell/command.ts"
import { directWork } from "../support/direct-work.ts"
import { stackTools } from "../support/stack-tools.ts"

// The servers are on paper here, so that every pair of deaths can be tried; test/action and test/fault have real ones.
type Half = "untouched" | "half"
interface Paper {
  data: string
  kept: { name: string; run: string; data: string; at: number }[]
  half: Half
}

function world() {
  const folder = mkdtempSync(join(tmpdir(), "t-undo-"))
  const host = localHost()
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
  const definition = (name: string): ServiceDefinition =>
    ({
      name,
      image: name === "db" ? "postgres" : "redis",
      profiles: [],
      healthBudget: 1000,
      volumes: [],
      oneShot: false,
    }) as unknown as ServiceDefinition
  const containers = ["cache", "db"].map(
    (name) =>
      ({
        id: name,
        name,
        service: name,
        state: "running",
        health: "healthy",
        mounts: [],
        restarts: 0,
        imageId: "i",
      }) as unknown as Container,
  )
  const stack = {
    servicesOf: async (profile: string) => (profile === "app" ? [] : ["cache", "db"].map(definition)),
    containers: async () => containers,
    mounting: async () => [],
    definition: async () => ({ volumes: [] }),
    start: () => change`true`,
    up: () => change`true`,
    stop: () => change`true`,
  } as unknown as Stack
  const tools = (beforeStep: (step: string) => void = () => {}): Tools => {
    const base = stackTools({ project: "shop", baseDir: folder }, { host, work: directWork(host, { beforeStep }) })
    return { ...base, stack, drivers: [driver("redis"), driver("postgres")] }
  }
  return {
    tools,
    refuse: (now: boolean) => {
      refused = now
    },
    /** Nothing is done from this step on. */
    dying(at: number) {
      let count = 0
      return tools((step) => {
        if (count++ >= at) throw new HostError("lost", `dead at ${step}`)
      })
    },
    state: () => [of("cache").data, of("db").data, of("cache").half].join(),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
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
