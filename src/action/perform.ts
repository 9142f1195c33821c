import { AppError, messageOf } from "../core/errors.ts"
import type { Contract } from "./contract.ts"
import type { Action, ActionContext, Outcome, Status } from "./outcome.ts"
import { readInputs } from "./read-inputs.ts"
import type { Failure, Runtime, Scalar } from "./runtime.ts"

/** 0 success, 1 partial, 2 anything else; 3 and 4 only where it tells a verdict (see `failedCode`). */
export type ExitCode = 0 | 1 | 2 | 3 | 4

/** What an action ends with that came to no outcome: never one of the verdicts of an action whose code tells one. */
export function failedCode({ outputs }: Pick<Contract, "outputs">): ExitCode {
  return "exit-code" in outputs.shape ? 4 : 2
}

/** How an action ended: the command line's exit code, and whether the step of a workflow failed. */
export interface Ending {
  readonly exitCode: ExitCode
  readonly failed: boolean
}

/**
 * The one failure policy. Masks, checks the inputs, writes the negative outputs first, runs, writes the outputs and
 * the summary. Never rejects: whatever is thrown becomes outputs, a message and an ending.
 */
export async function perform<C extends Contract>(
  action: Action<C>,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Ending> {
  const { contract } = action
  try {
    runtime.output(contract.negative as Record<string, Scalar>)
    const inputs = readInputs(contract, runtime)
    const outcome = await untilAborted(action.main(inputs, contextOf(runtime, signal)), signal)
    return await finish(contract, outcome, runtime)
  } catch (error) {
    // A cancelled action fails in many ways, each of them because it was cancelled.
    if (signal.aborted && error !== signal.reason) runtime.log.info(`While stopping: ${messageOf(error)}`)
    return giveUp(contract, signal.aborted ? signal.reason : error, runtime)
  }
}

/** Milliseconds that an aborted action has to put down what it holds: the runner's first signal leaves 7 500. */
const putDown = 1500

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const given = new Promise<never>((_, reject) => {
    const later = () => setTimeout(() => reject(signal.reason), putDown).unref()
    if (signal.aborted) later()
    else signal.addEventListener("abort", later, { once: true })
  })
  return Promise.race([work, given])
}

const dryRunNote = "**Dry run: nothing was changed.** What follows is what the steps were taken to give.\n\n"

async function finish(contract: Contract, outcome: Outcome, runtime: Runtime): Promise<Ending> {
  const outputs = contract.outputs.parse(outcome.outputs) as Record<string, Scalar>
  runtime.output(outputs)
  if (outcome.summary)
    await runtime.summary(outputs.reason === "dry-run" ? dryRunNote + outcome.summary : outcome.summary)
  if (outcome.failure !== undefined)
    runtime.fail({ title: "Failed", message: outcome.failure, hint: undefined, stack: undefined })
  const partial = outputs.status === "partial"
  return {
    exitCode: outcome.exitCode ?? (outcome.failure !== undefined ? 2 : partial ? 1 : 0),
    failed: outcome.failure !== undefined,
  }
}

/** Writes down that the action failed, and why. */
export function giveUp(contract: Contract, error: unknown, runtime: Runtime): Ending {
  const status: Status = error instanceof AppError && error.kind === "refused" ? "refused" : "failed"
  const reason = error instanceof AppError ? error.code : "bug"
  runtime.output({ status, reason })
  runtime.fail(failureOf(error))
  return { exitCode: failedCode(contract), failed: true }
}

const titles = { input: "Wrong input", refused: "Refused", failed: "Failed" } as const

/** What a person has to read about something thrown; what nobody raised on purpose is a bug and keeps its stack. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AppError)
    return { title: titles[error.kind], message: withCauses(error), hint: error.hint, stack: undefined }
  return {
    title: "Bug",
    message: messageOf(error),
    hint: "This is a fault of infra-actions: please report it with the log.",
    stack: error instanceof Error ? error.stack : undefined,
  }
}

function withCauses(error: Error): string {
  const cause = error.cause
  const said = cause === undefined || error.message.includes(messageOf(cause))
  return said
    ? error.message
    : `${error.message}\ncaused by: ${cause instanceof Error ? withCauses(cause) : String(cause)}`
}

export function contextOf(runtime: Runtime, signal: AbortSignal): ActionContext {
  const { log, run, env, directory } = runtime
  return {
    log,
    run,
    env,
    directory,
    signal,
    mask: (secret) => runtime.mask(secret),
    saveState: (name, value) => runtime.saveState(name, value),
  }
}
