import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { input, wholeNumber } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { changeInputs, connectionInputs } from "../../src/action/shared-inputs.ts"

export const debugContract = {
  name: "debug",
  description: "Collects diagnostics, names the causes, tries the fixes that cannot lose data, and checks again.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...changeInputs,
    attempts: input(wholeNumber.pipe(z.int().min(1).max(3)).default(3), {
      description: "How many times fixes are tried, 1 to 3, with growing pauses.",
      placeholder: "COUNT",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "debug-status": z.enum(["fixed", "failed"]).describe("`fixed` or `failed`. A `failed` one does not fail the step."),
    "debug-details": z.string().describe("Report as JSON: causes found and what was tried."),
    "fixes-applied": z.string().describe("Names of the fixes tried, separated by spaces."),
  }),
  negative: { ...notDone, "debug-status": "failed", "debug-details": "{}", "fixes-applied": "" },
} satisfies Contract
