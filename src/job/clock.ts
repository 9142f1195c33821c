import { setTimeout } from "node:timers/promises"
import type { Clock } from "./tools.ts"

/** The real time. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, signal ? { signal } : {}),
}
