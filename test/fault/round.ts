import { faults } from "./faults.ts"
import { badBackups, disorder, waitForLock } from "./look.ts"
import { type ActionName, type Next, type Site, scenarios } from "./scenario.ts"
import type { Strike } from "./strike.ts"
import { type Ended, momentName } from "./tool.ts"

/** One struck run and what came of it. */
export interface Round {
  readonly strike: Strike
  /** Whether the fault came in time to strike anything. */
  readonly hit: boolean
  /** The actions that ran next, in order. */
  readonly next: string
  /** Seconds until the struck run's lock was free. */
  readonly waited: number
  /** Seconds that the next run took. */
  readonly seconds: number
  readonly lost: number
  /** What was not as it should be, one line each. */
  readonly wrong: readonly string[]
}

/** Seconds for which a lock may stand after the last sign of life of its run: the lease of 5, and what a busy machine takes to notice. */
const longestIdle = 20

/** Strikes an action, then lets the next run come: what it finds, and what it leaves. */
export async function struckRound(site: Site, strike: Strike, index: number): Promise<Round> {
  const { ground } = site
  const { action } = strike
  const scenario = scenarios[action]
  const fault = faults[strike.fault]
  ground.writer.work()
  const words = await scenario.prepare(site)
  const { ended, hit } = await run(site, strike, words)
  await fault.heal?.(ground)
  const [{ waited, idle }, bad, rows] = await Promise.all([
    waitForLock(ground),
    badBackups(ground),
    scenario.lost(site, "struck"),
  ])
  const settled = await settle(site, scenario.next(site, index, words), action)
  return {
    ...{ strike, hit, waited, next: settled.next, seconds: settled.seconds },
    lost: Math.max(rows ?? 0, settled.lost ?? 0),
    wrong: [
      ...(hit ? fault.judge(ended) : []),
      ...(idle > longestIdle ? [`its lock was held for ${idle.toFixed(1)} s although nothing of it was at work`] : []),
      ...bad.map((line) => `after the fault: ${line}`),
      ...(rows ? [`${rows} rows are not as they have to be before the next run`] : []),
      ...settled.wrong,
    ].flatMap((line) => (hit && process.env.FAULT_LOG ? [line, ended.log] : [line])),
  }
}

async function run(
  { ground }: Site,
  { action, step, nth, delay, fault }: Strike,
  words: readonly string[],
): Promise<{ readonly ended: Ended; readonly hit: boolean }> {
  let hit = false
  const { restsAt } = scenarios[action]
  const ended = await ground.run(words, {
    ...{ step, nth, delay },
    notice: (name) => void (name === restsAt && ground.writer.rest()),
    async strike(signal) {
      hit = await faults[fault].strike({ ground, step, signal })
    },
  })
  return { ended, hit }
}

interface Settled extends Pick<Round, "next" | "seconds" | "wrong"> {
  readonly lost: number | undefined
}

async function settle(site: Site, next: Next, action: ActionName): Promise<Settled> {
  const { ground } = site
  const began = performance.now()
  const failure = await next.run().then(
    () => undefined,
    (error: unknown) => String(error),
  )
  const seconds = (performance.now() - began) / 1000
  const left = await disorder(ground, 20)
  const { lost, wrong } = scenarios[action]
  const rows = await lost(site, "settled")
  return {
    ...{ next: next.name, seconds, lost: rows },
    wrong: [
      ...(failure === undefined ? [] : [`the next run failed: ${failure}`]),
      ...left,
      ...(rows === undefined ? ["a store does not answer"] : []),
      ...(left.length === 0 ? ((await wrong?.(site)) ?? []) : []),
      ...(await badBackups(ground)),
    ],
  }
}

/** A line, for who watches, and one for each thing that is wrong. */
export function describeRound({ strike, hit, next, waited, seconds, lost, wrong }: Round): string {
  const { action, delay, fault } = strike
  const when = `${action} at ${momentName(strike)} + ${delay} ms`
  if (!hit) return `${fault}: ${when}: came too late`
  const after = `lock free in ${waited.toFixed(1)} s, ${next} took ${seconds.toFixed(1)} s`
  return `${fault}: ${when}: ${after}, ${lost} rows lost${wrong.map((line) => `\n  WRONG: ${line}`).join("")}`
}
