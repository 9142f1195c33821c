import { z } from "zod"
import { inputError } from "../core/errors.ts"
import type { Contract, Use } from "./contract.ts"
import type { Runtime } from "./runtime.ts"

type Inputs = Readonly<Record<string, unknown>>
type Written = Runtime["written"]

/**
 * Throws the input error `input-without-effect` that names every input given in a use of the action that does not read it:
 * whoever gave it meant another use. On GitHub every default arrives as if it was given, so one equal to it says nothing.
 */
export function refuseWithoutEffect(contract: Contract, inputs: Inputs, { written }: Pick<Runtime, "written">): void {
  const given = (name: string) => isGiven(contract, name, inputs[name])
  const holds = (use: Use) =>
    Object.entries(use).every(([name, wanted]) =>
      typeof wanted === "boolean" ? given(name) === wanted : [inputs[name]].flat().includes(wanted),
    )
  const problems = Object.entries(contract.goesWith ?? {})
    .filter(([name, uses]) => given(name) && !uses.some(holds))
    .map(([name, uses]) => `\`${written(name)}\` has no effect here: it goes ${uses.map(said(written)).join(", or ")}`)
  if (problems.length === 0) return
  throw inputError("input-without-effect", problems.join("\n"), {
    hint: "Give what it goes with, or leave it out. Nothing was done.",
  })
}

/** Whether an input says more than its default does. */
export function isGiven({ inputs }: Pick<Contract, "inputs">, name: string, value: unknown): boolean {
  const schema = inputs.shape[name]
  return value !== undefined && !(schema instanceof z.ZodDefault && schema.def.defaultValue === value)
}

/** `with --mode restore, without --file`. */
function said(written: Written): (use: Use) => string {
  return (use) =>
    Object.entries(use)
      .map(([name, wanted]) =>
        typeof wanted === "boolean"
          ? `${wanted ? "with" : "without"} \`${written(name)}\``
          : `with \`${written(name, wanted)}\``,
      )
      .join(", ")
}
