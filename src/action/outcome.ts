import { z } from "zod"
import type { Logger } from "../job/logger.ts"
import type { Run } from "../job/tools.ts"
import type { Contract, InputsOf, OutputsOf } from "./contract.ts"

/** `partial`: the main thing was done, something beside it was not. `refused`: a safety rule forbade it. */
export const statuses = ["success", "partial", "refused", "failed"] as const
export type Status = (typeof statuses)[number]

/** The two outputs every action has. `reason` is a code from a closed list, `done` or an error's code among them. */
export const commonOutputs = {
  status: z.enum(statuses).describe("`success`, `partial`, `refused` or `failed`."),
  reason: z.string().describe("Code of why, for machines: `done`, or what stopped it."),
}

/** Their value before any work started: what a reader sees when the action was killed. */
export const notDone = { status: "failed", reason: "not-finished" } as const

/** What an action's main gives back. To fail without outputs of its own it throws an AppError instead. */
export interface Outcome<C extends Contract = Contract> {
  readonly outputs: OutputsOf<C>
  /** Markdown for the job summary. */
  readonly summary?: string
  /** Fails the step with this message after the outputs were written. */
  readonly failure?: string
  /** What the command line ends with; from `failure` and `status` unless told (0 success, 1 partial, 2 failed); 3 is a verdict of check-infra. */
  readonly exitCode?: 0 | 1 | 2 | 3
}

/** What an action gets besides its inputs, before it opened anything. */
export interface ActionContext {
  readonly log: Logger
  readonly run: Run
  /** Aborts when the action is cancelled. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  /** The checkout: paths in inputs are relative to it. */
  readonly directory: string
  /** Hides a secret that came up on the way from everything shown from now on. */
  mask(secret: string): void
  /** Keeps a text for the action's post step. Does nothing outside of GitHub, where there is none. */
  saveState(name: string, value: string): void
}

/** An action: its contract and the function behind it. `main.ts` runs it on GitHub, the command line in a terminal. */
export interface Action<C extends Contract = Contract> {
  readonly contract: C
  main(inputs: InputsOf<C>, context: ActionContext): Promise<Outcome<C>>
}

/** An action whose main sees its inputs typed by the contract, and whose outputs are checked against it. */
export function action<C extends Contract, const Result extends Outcome<C>>(
  contract: C,
  main: (inputs: InputsOf<C>, context: ActionContext) => Promise<Result>,
): Action<C> {
  return { contract, main }
}
