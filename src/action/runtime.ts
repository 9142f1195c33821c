import type { Logger } from "../job/logger.ts"
import type { Run } from "../job/tools.ts"

export type Scalar = string | number | boolean

/** Where an action runs: on a GitHub runner or in a terminal. The only place that knows how results are handed over. */
export interface Runtime {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly run: Run
  readonly log: Logger
  /** The text of an input as it was given; undefined when it is absent or empty. */
  given(name: string): string | undefined
  /** Names given that no input has to have: unknown ones are mistakes. */
  givenNames(): readonly string[]
  /** How a person gives this input here: `with: ssh-key:` or `--config`. */
  placeOf(name: string): string
  /** An input as a person writes it here, with its value when that is told: `mode: clean` or `--mode clean`. */
  written(name: string, value?: string): string
  /** Where the inputs of an action are described. */
  describedIn(action: string): string
  mask(secret: string): void
  /** May be called again: the last value of a name stands. */
  output(outputs: Readonly<Record<string, Scalar>>): void
  summary(markdown: string): Promise<void>
  saveState(name: string, value: string): void
  fail(failure: Failure): void
}

/** What a person reads when an action did not succeed. */
export interface Failure {
  /** Says who has to act: `Wrong input`, `Refused`, `Failed`, `Bug`. */
  readonly title: string
  readonly message: string
  readonly hint: string | undefined
  /** For the log of a bug only. */
  readonly stack: string | undefined
}
