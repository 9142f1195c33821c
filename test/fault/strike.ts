import { type FaultName, faultNames, faults } from "./faults.ts"
import { chooseKills } from "./loop.ts"
import { type ActionName, actionNames } from "./scenario.ts"
import type { Moment } from "./tool.ts"

/** A fault at a place in an action's run. */
export interface Strike extends Moment {
  readonly action: ActionName
  /** Milliseconds after the step was announced. */
  readonly delay: number
  readonly fault: FaultName
}

/** A step of a good run, and whether it runs detached on the host. */
export interface Place extends Moment {
  readonly detached: boolean
}

/** `recreate/stop-writers/1/150/SIGKILL`: what `script/test fault --only` takes. */
export function strikeText({ action, step, nth, delay, fault }: Strike): string {
  return [action, step, nth, delay, fault].join("/")
}

/** Throws for what is not such a text. */
export function parseStrike(text: string): Strike {
  const [action, step = "", nth, delay, fault] = text.split("/")
  const [knownAction, knownFault] = [actionNames.find((one) => one === action), faultNames.find((one) => one === fault)]
  if (!knownAction || !knownFault || step === "" || !(Number(nth) >= 1) || !(Number(delay) >= 0))
    throw new Error(
      `${text} is not ACTION/STEP/NTH/MILLISECONDS/FAULT (${actionNames.join(", ")}; ${faultNames.join(", ")})`,
    )
  return { action: knownAction, step, nth: Number(nth), delay: Number(delay), fault: knownFault }
}

/** A source of numbers from 0 to 1 that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const all = [...items]
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    ;[all[last], all[other]] = [all[other] as T, all[last] as T]
  }
  return all
}

/** The places where a fault can strike. */
export function placesFor(fault: FaultName, places: readonly Place[]): readonly Place[] {
  return faults[fault].detachedOnly ? places.filter((one) => one.detached) : places
}

/** Strikes of one fault at these places, with the one and the other delay in turn, or with both. */
export function strikesAt(
  places: readonly Place[],
  { action, fault, both = false }: Pick<Strike, "action" | "fault"> & { readonly both?: boolean },
): readonly Strike[] {
  return chooseKills(places, { both }).map((at) => ({ action, ...at, fault }))
}

/** `count` of the items, spread evenly from the first to the last. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items
  return Array.from({ length: count }, (_, index) => items[Math.round((index * (items.length - 1)) / (count - 1))] as T)
}
