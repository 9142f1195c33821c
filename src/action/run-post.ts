import { messageOf } from "../core/errors.ts"
import { actionsRuntime } from "./actions-runtime.ts"
import type { Contract, InputsOf } from "./contract.ts"
import type { ActionContext } from "./outcome.ts"
import { contextOf } from "./perform.ts"
import { readInputs } from "./read-inputs.ts"
import { abortOnSignals } from "./run-action.ts"

/** What the post step gets of what main kept: a text by name, undefined when main did not come so far. */
export type PostState = (name: string) => string | undefined

export type PostMain<C extends Contract> = (
  inputs: InputsOf<C>,
  context: ActionContext,
  state: PostState,
) => Promise<void>

/** Runs an action's post step: it undoes only what main recorded, and warns instead of failing the job. */
export async function runPost<C extends Contract>(contract: C, post: PostMain<C>): Promise<never> {
  const runtime = actionsRuntime()
  try {
    const state: PostState = (name) => runtime.env[`STATE_${name}`] || undefined
    await post(readInputs(contract, runtime), contextOf(runtime, abortOnSignals()), state)
  } catch (error) {
    runtime.log.warning(`After the job: ${messageOf(error)}`)
  }
  process.exit(0)
}
