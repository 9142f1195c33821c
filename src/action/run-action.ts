import { failure } from "../core/errors.ts"
import { actionsRuntime } from "./actions-runtime.ts"
import type { Contract } from "./contract.ts"
import type { Action } from "./outcome.ts"
import { giveUp, perform } from "./perform.ts"

/**
 * Runs an action as the step of a workflow and ends the process: 0 when it did its work, 1 when not. A cancelled one
 * has written that it was and is gone within two seconds of the runner's first signal.
 */
export async function runAction<C extends Contract>(action: Action<C>): Promise<never> {
  const runtime = actionsRuntime()
  process.on("uncaughtException", (error) => process.exit(giveUp(action.contract, error, runtime).failed ? 1 : 0))
  const ending = await perform(action, runtime, abortOnSignals())
  process.exit(ending.failed ? 1 : 0)
}

/** Aborts at the first SIGINT or SIGTERM; at the second the process ends on the spot. */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(1)
      controller.abort(
        failure("cancelled", "cancelled before it was done", {
          hint: "What already runs on the host goes on to its end; the next run finds it and says how it ended.",
        }),
      )
    })
  return controller.signal
}
