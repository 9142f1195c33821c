/** A copy of a service of the app. */
export interface SettledCopy {
  readonly service: string
  readonly serves: boolean
}

/** What an interrupted deployment left of the services of which two copies run side by side. */
export interface CutDeployment {
  readonly services: readonly string[]
  readonly old: readonly SettledCopy[]
  readonly fresh: readonly SettledCopy[]
  /** All of the old copies are still there. */
  readonly oldComplete: boolean
  /** Requests go to the new copies already and are answered well; without a proxy: the old ones began to be stopped. */
  readonly tookOver: boolean
  /** Requests go to the new copies already, and are answered wrong. */
  readonly answersWrong: boolean
}

/**
 * How an interrupted deployment ends. `one-set`: there is nothing to choose from. `forward`, `back`: the copies of the other set may go, for
 * those of this one serve. `undecided`: neither set serves at this moment, so both stay: the old ones may be starting, or be
 * stopped by our own hand, and are the only release that was ever proven.
 */
export type Settlement = "one-set" | "forward" | "back" | "undecided"

/** Decides it by what serves now: never does a set go whose other one does not serve each of its services. */
export function settlementOf({ services, old, fresh, ...cut }: CutDeployment): Settlement {
  if (old.length === 0 || fresh.length === 0) return "one-set"
  const newServe = fresh.every((one) => one.serves) && services.every((name) => servesOne(fresh, name))
  if (newServe && cut.tookOver) return "forward"
  const before = new Set(old.map((one) => one.service))
  if (cut.oldComplete && [...before].every((name) => servesOne(old, name))) return "back"
  return newServe && !cut.answersWrong ? "forward" : "undecided"
}

function servesOne(copies: readonly SettledCopy[], name: string): boolean {
  return copies.some((one) => one.service === name && one.serves)
}
