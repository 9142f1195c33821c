import type { z } from "zod"

/** A way to use an action, by its inputs: the value that each must have (or hold, as a list), or whether it must be given. */
export type Use = Readonly<Record<string, string | boolean>>

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
  /** Inputs that have an effect only in some uses: given in another one, an input is refused, never ignored. */
  readonly goesWith?: Readonly<Record<string, readonly Use[]>>
  /** Written before any work starts, so that a crash leaves truth behind. */
  readonly negative: z.output<Outputs>
}

export type InputsOf<C extends Contract> = z.output<C["inputs"]>
export type OutputsOf<C extends Contract> = z.output<C["outputs"]>
