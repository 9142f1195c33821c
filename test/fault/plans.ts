import type { Places, Portion } from "./campaign.ts"
import type { FaultName } from "./faults.ts"
import { type ActionName, actionNames } from "./scenario.ts"
import { parseStrike, placesFor, randomFrom, type Strike, shuffled, spread, strikesAt } from "./strike.ts"

/** How much is struck: some steps drawn by a seed, each step by SIGKILL and some by each other fault, or everything. */
export type Extent = "short" | "long" | "all"

export interface Wanted {
  readonly extent: Extent
  readonly faults: readonly FaultName[]
  readonly seed: number
  /** Rounds in the short form. */
  readonly rounds: number
}

/** Steps at which a fault other than SIGKILL strikes in the long form. */
const samples = 4
/** Rounds that a lane does before it looks for other work. */
const atOnce = 8

/** What the environment asks for; `FAULT_SEED` or one of the time's. */
export function wantedFrom(env: NodeJS.ProcessEnv, faults: readonly FaultName[], rounds: number): Wanted {
  const named = env.FAULT_FAULTS?.split(",")
  const extent = (["short", "long", "all"] as const).find((one) => one === env.FAULT_EXTENT) ?? "short"
  const seed = Number(env.FAULT_SEED ?? Math.floor(Date.now() / 1000) % 1_000_000)
  return { extent, seed, rounds, faults: faults.filter((one) => named?.includes(one) ?? true) }
}

/** `FAULT_ACTIONS`; all five unless told. Those that take longest first. */
export function actionsFrom({ FAULT_ACTIONS: named }: NodeJS.ProcessEnv): readonly ActionName[] {
  const order: readonly ActionName[] = ["upgrade", "restore", "recreate", "backup", "deploy"]
  return order.filter((one) => named?.split(",").includes(one) ?? actionNames.includes(one))
}

/** Exactly these strikes, as `FAULT_ONLY` names them. */
export function onlyStrikes(text: string): readonly Strike[] {
  return text.split(",").map(parseStrike)
}

/** The strikes of a campaign, in portions of one action each. */
export function* portionsOf(strikes: readonly Strike[]): Iterator<Portion> {
  const actions = [...new Set(strikes.map((one) => one.action))]
  for (const action of actions) {
    const own = strikes.filter((one) => one.action === action)
    for (let from = 0; from < own.length; from += atOnce) yield { action, strikes: own.slice(from, from + atOnce) }
  }
}

export function strikesOf(wanted: Wanted, places: Places): readonly Strike[] {
  if (wanted.extent === "short") return fewStrikes(wanted, places)
  return [...places].flatMap(([action, steps]) =>
    wanted.faults.flatMap((fault) => {
      const able = placesFor(fault, steps)
      if (wanted.extent === "all") return strikesAt(able, { action, fault, both: true })
      return strikesAt(fault === "SIGKILL" ? able : spread(able, samples), { action, fault })
    }),
  )
}

/** Each action, each fault at least once where there are rounds enough, at steps that the seed draws. */
function fewStrikes({ faults, seed, rounds: count }: Wanted, places: Places): readonly Strike[] {
  const random = randomFrom(seed)
  const rounds = [...shuffled([...places.keys()], random)]
  // Further ones of what takes least.
  const quick = rounds.filter((one) => one !== "upgrade")
  while (rounds.length < count && quick.length > 0) rounds.push(...shuffled(quick, random))
  const deck: FaultName[] = []
  while (deck.length < count) deck.push(...shuffled(faults, random))
  return rounds.slice(0, count).map((action, index) => drawn(action, deck[index] ?? "SIGKILL", { places, random }))
}

interface Draw {
  readonly places: Places
  readonly random: () => number
}

function drawn(action: ActionName, fault: FaultName, { places, random }: Draw): Strike {
  const able = placesFor(fault, places.get(action) ?? [])
  const place = able[Math.floor(random() * able.length)]
  if (!place) throw new Error(`${action} has no step that ${fault} could strike`)
  const { step, nth } = place
  return { action, step, nth, fault, delay: random() < 0.5 ? 0 : Math.floor(random() * 1500) }
}

/** Portions without end of actions, steps, delays and faults that the seed mixes, until `isOver`. */
export function* randomPortions({ faults, seed }: Wanted, places: Places, isOver: () => boolean): Iterator<Portion> {
  const random = randomFrom(seed)
  for (;;) {
    for (const action of shuffled([...places.keys()], random)) {
      if (isOver()) return
      const fortune = () => faults[Math.floor(random() * faults.length)] ?? "SIGKILL"
      // Drawn at once, so that the lanes' pace does not change what a seed means.
      const strikes = Array.from({ length: 3 }, () => drawn(action, fortune(), { places, random }))
      yield { action, strikes: until(strikes, isOver) }
    }
  }
}

function* until(strikes: readonly Strike[], isOver: () => boolean): Iterable<Strike> {
  for (const strike of strikes) if (!isOver()) yield strike
}
