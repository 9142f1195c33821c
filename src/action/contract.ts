import type { z } from "zod"

/**
 * What an action takes and gives: one schema for its inputs and one for its outputs. `action.yml`, the README table
 * and the command line's flags are checked against it. Names are kebab-case, outputs are scalars.
 */
export interface Contract<Inputs extends z.ZodObject = z.ZodObject, Outputs extends z.ZodObject = z.ZodObject> {
  readonly name: string
  /** One sentence; the `description` of `action.yml` and the command's help. */
  readonly description: string
  /** Whether it can change the host: then it has `dry-run` and needs the lock. */
  readonly mutates: boolean
  readonly inputs: Inputs
  readonly outputs: Outputs
  /** Written before any work starts, so that a crash leaves truth behind. */
  readonly negative: z.output<Outputs>
}

export type InputsOf<C extends Contract> = z.output<C["inputs"]>
export type OutputsOf<C extends Contract> = z.output<C["outputs"]>
