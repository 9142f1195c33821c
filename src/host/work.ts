import { AppError } from "../core/errors.ts"
import type { Progress } from "../core/progress.ts"
import type { Command } from "../shell/command.ts"
import { HostError, type Input, type RunResult } from "./host.ts"

/** Milliseconds that a step may take unless told. */
export const stepTimeout = 600_000

export interface StepOptions {
  /** Milliseconds until the step's work on the host is ended; `stepTimeout` unless told. */
  readonly timeout?: number
  readonly input?: Input
  /** What a dry run takes for the step's standard output. */
  readonly assume?: string
  /** Sees each line of the step's output as it appears, for progress. */
  readonly onLine?: (line: string) => void
  /** Tells in the log, now and then, how far the step has come. */
  readonly progress?: Progress
}

/**
 * The only door through which a job changes the host. Each step has a name, runs detached from the connection under
 * the keeper, is fenced by the lease and leaves a line in the journal; a dry run shows it instead.
 */
export interface Work {
  readonly dryRun: boolean
  /** Unique among all runs on this host; part of the names of what a step makes. */
  readonly id: string
  /** Does one change. Throws `CommandError` when it ends with another code than 0, `AppError` `lease-lost` when fenced. */
  step(name: string, command: Command, options?: StepOptions): Promise<RunResult>
  /** Looks at what steps before it changed; a dry run takes `assumed` instead. */
  check<T>(name: string, observe: () => Promise<T>, assumed: T): Promise<T>
}

/**
 * Whether it is known, after this error, what became of the last step, and who threw it may still act: not after one that
 * was cut or lost sight of, nor without the lock. Then the next run, which waits for it, has to judge what there is.
 */
export function mayStillAct(error: unknown): boolean {
  if (error instanceof HostError) return false
  return !(error instanceof AppError) || (error.code !== "lease-lost" && error.code !== "step-cut")
}
