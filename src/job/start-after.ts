import { failure, messageOf } from "../core/errors.ts"
import { isOurs } from "./is-ours.ts"
import type { Tools } from "./tools.ts"

/** Starts the app after a change of data that failed: what goes wrong now is told, and never hides the reason, which is thrown. */
export async function startAfterFailure(tools: Tools, reason: unknown, start: () => Promise<void>): Promise<never> {
  if (isOurs(tools, reason)) {
    try {
      await start()
    } catch (error) {
      tools.log.warning(`Then the app did not start on the data of before: ${messageOf(error)}`)
    }
  }
  throw reason
}

/** Starts the app after a change of data that went well: when it does not, that is said as well, with where the old data is. */
export async function startAfterSuccess(
  tools: Tools,
  {
    done,
    kept,
    start,
    next = "",
  }: {
    readonly done: string
    readonly kept: readonly string[]
    readonly start: () => Promise<void>
    /** What else can be done than to look at the app's log. */
    readonly next?: string
  },
): Promise<void> {
  try {
    await start()
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    throw failure("app-not-healthy", `${done}, but the app does not serve on it: ${messageOf(error)}`, {
      hint: ["Look at the app's log.", next, ...kept].filter((part) => part !== "").join(" "),
      cause: error,
    })
  }
}
