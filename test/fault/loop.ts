import assert from "node:assert/strict"
import type { Ground } from "./ground.ts"
import type { Ended, Moment } from "./tool.ts"

/** Milliseconds: right at the announcement nothing has reached the host yet, a little later the step is at work. */
export const delays = [0, 150]

/** When to strike: at each moment once, with the one and the other delay in turn, or twice with `both`. */
export function chooseKills(
  moments: readonly Moment[],
  { both = false }: { readonly both?: boolean } = {},
): readonly (Moment & { readonly delay: number })[] {
  return moments.flatMap(({ step, nth }, index) =>
    (both ? delays : [delays[index % delays.length] ?? 0]).map((delay) => ({ step, nth, delay })),
  )
}

/** Runs an action that has to end well; anything else ends the loop, for nothing after it would mean anything. */
export async function good(ground: Ground, words: readonly string[]): Promise<Ended> {
  const ended = await ground.run(words)
  assert.equal(ended.code, 0, `${words.join(" ")} ended with exit code ${ended.code}\n${ended.log}`)
  return ended
}
