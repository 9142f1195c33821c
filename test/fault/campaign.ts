import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { stateOf } from "./ground.ts"
import { good } from "./loop.ts"
import { describeRound, type Round, struckRound } from "./round.ts"
import { type ActionName, fits, openSite, type Site, scenarios } from "./scenario.ts"
import type { Place, Strike } from "./strike.ts"

/** The steps of every action that is struck, in their order. */
export type Places = ReadonlyMap<ActionName, readonly Place[]>

/** Rounds of one action, which one lane does one after the other. */
export interface Portion {
  readonly action: ActionName
  readonly strikes: Iterable<Strike>
}

export interface Campaign {
  readonly slots: readonly number[]
  readonly actions: readonly ActionName[]
  /** What is struck, once the steps are known; each lane draws from it until it is empty. */
  plan(places: Places): Iterator<Portion>
  tell(round: Round): Promise<void>
}

/** Runs the good runs, whose steps are the places to strike, and then the portions, on several stacks side by side. */
export async function runCampaign({ slots, actions, plan, tell }: Campaign): Promise<Places> {
  const lanes = slots.map((slot) => openLane(slot))
  const places = new Map<ActionName, readonly Place[]>()
  try {
    const waiting = actions[Symbol.iterator]()
    await Promise.all(
      lanes.map(async (lane) => {
        for (const action of waiting) places.set(action, await placesOf(lane, action))
      }),
    )
    const inOrder = new Map(actions.map((action) => [action, places.get(action) ?? []]))
    const portions = plan(inOrder)
    await Promise.all(
      lanes.map(async (lane) => {
        for (let next = portions.next(); !next.done; next = portions.next()) await runPortion(lane, next.value, tell)
      }),
    )
    return inOrder
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()))
  }
}

/** One stack, which is made anew when an action needs another one or a round has left it broken. */
interface Lane {
  site(action: ActionName): Promise<Site>
  close(): Promise<void>
}

function openLane(slot: number): Lane {
  let site: Site | undefined
  const close = async () => {
    await site?.[Symbol.asyncDispose]()
    site = undefined
  }
  return {
    close,
    async site(action) {
      if (site && !(await fits(site, action))) await close()
      site ??= await openSite(slot, action)
      return site
    },
  }
}

async function placesOf(lane: Lane, action: ActionName): Promise<readonly Place[]> {
  const site = await lane.site(action)
  const words = await scenarios[action].prepare(site)
  const before = new Set(workOf(site))
  const ended = await good(site.ground, words)
  const folders = workOf(site).filter((name) => !before.has(name))
  await scenarios[action].settleGood?.(site, ended)
  return ended.moments.map((moment) => ({
    ...moment,
    detached: folders.some((name) => name.replace(/backup-\d{8}-\d{6}$/, "old-backup").endsWith(`-${moment.step}`)),
  }))
}

/** The folders of detached work on the host; none before the first. */
function workOf({ ground }: Site): readonly string[] {
  const work = join(stateOf(ground), "work")
  return existsSync(work) ? readdirSync(work) : []
}

async function runPortion(lane: Lane, { strikes }: Portion, tell: Campaign["tell"]): Promise<void> {
  let index = 0
  for (const strike of strikes) {
    const first = await tried(lane, strike, index)
    // What is over too soon is struck at its very beginning instead.
    const late = !first.hit && strike.delay > 0
    const round = late ? await tried(lane, { ...strike, delay: 0 }, index) : first
    console.log(describeRound(round))
    await tell(round)
    if (round.wrong.length > 0 || round.lost > 0) await lane.close()
    index += 1
  }
}

/** A round that could not even be made is told like one that went wrong, and ends neither the lane nor the others. */
async function tried(lane: Lane, strike: Strike, index: number): Promise<Round> {
  try {
    return await struckRound(await lane.site(strike.action), strike, index)
  } catch (error) {
    return { strike, hit: true, next: "nothing", waited: 0, seconds: 0, lost: 0, wrong: [String(error)] }
  }
}
