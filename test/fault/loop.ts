import assert from "node:assert/strict"
import type { Ground } from "./ground.ts"
import { badBackups, disorder, lostRows, waitForLock } from "./look.ts"
import { type Ended, type Kill, type Moment, momentName } from "./tool.ts"

/** One kill and what came of it. */
export interface Round {
  readonly action: string
  /** The step at which it was killed. */
  readonly name: string
  /** Milliseconds between the step's announcement and the kill. */
  readonly delay: number
  /** The actions that ran next, in order. */
  readonly next: string
  /** Seconds until the killed run's lock was free. */
  readonly waited: number
  /** Seconds that the next run took. */
  readonly seconds: number
  readonly lost: number
  /** What was not as it should be, one line each. */
  readonly wrong: readonly string[]
}

/** Milliseconds: right at the announcement nothing has reached the host yet, a little later the step is at work. */
const delays = [0, 150]

/**
 * The kills to try: each step once, with the one and the other delay in turn; both with `FAULT_ALL`, every third step with `FAULT_EVERY=3`. `FAULT_STEPS`
 * picks steps by name. Throws when it names a step that the run does not have.
 */
export function chooseKills(moments: readonly Moment[], env: NodeJS.ProcessEnv = process.env): readonly Kill[] {
  const wanted = env.FAULT_STEPS?.split(",") ?? []
  const every = Number(env.FAULT_EVERY ?? 1)
  const chosen = moments
    .filter((moment) => wanted.length === 0 || wanted.includes(moment.step))
    .filter((_, index) => index % every === 0)
  return chosen.flatMap((moment, index) => {
    const own = env.FAULT_ALL ? delays : [delays[index % delays.length] ?? 0]
    return own.map((delay) => ({ ...moment, delay }))
  })
}

/** Runs an action that has to end well; anything else ends the loop, for nothing after it would mean anything. */
export async function good(ground: Ground, words: readonly string[]): Promise<Ended> {
  const ended = await ground.run(words)
  assert.equal(ended.code, 0, `${words.join(" ")} ended with exit code ${ended.code}\n${ended.log}`)
  return ended
}

/** Kills an action at a moment, then lets the next run come: what it finds, and what it leaves. */
export async function killedRound(
  ground: Ground,
  { words, kill, next }: { readonly words: readonly string[]; readonly kill: Kill; readonly next: Next },
): Promise<Round> {
  const killed = await ground.run(words, kill)
  const missed = killed.code === null ? [] : [`it ended with exit code ${killed.code} before it could be killed`]
  const [bad, rows, waited] = await Promise.all([badBackups(ground), lostRows(ground), waitForLock(ground)])
  const began = performance.now()
  const failure = await next.run().then(
    () => undefined,
    (error: unknown) => String(error),
  )
  const seconds = (performance.now() - began) / 1000
  const left = await disorder(ground, 4)
  const lost = await lostRows(ground)
  return {
    ...{
      action: words[0] ?? "",
      name: momentName(kill),
      delay: kill.delay,
      next: next.name,
      waited: waited / 1000,
      seconds,
    },
    lost: Math.max(rows ?? 0, lost ?? 0),
    wrong: [
      ...missed,
      ...bad.map((line) => `after the kill: ${line}`),
      ...(failure === undefined ? [] : [`the next run failed: ${failure}`]),
      ...left,
      ...(lost === undefined ? ["a store does not answer"] : []),
      ...(await badBackups(ground)),
    ],
  }
}

/** The run after a killed one. */
export interface Next {
  readonly name: string
  run(): Promise<void>
}

export function printRounds(rounds: readonly Round[]): void {
  const head = ["killed", "at", "after", "next run", "lock free in", "next run took", "rows lost"]
  const lines = rows(rounds)
  const widths = head.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)))
  const show = (cells: readonly string[]) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")
  console.log([show(head), widths.map((width) => "-".repeat(width)).join("  "), ...lines.map(show)].join("\n"))
}

function rows(rounds: readonly Round[]): readonly (readonly string[])[] {
  return rounds.map(({ action, name, delay, next, waited, seconds, lost }) => [
    action,
    name,
    `${delay} ms`,
    next,
    `${waited.toFixed(1)} s`,
    `${seconds.toFixed(1)} s`,
    String(lost),
  ])
}
