import type { z } from "zod"
import type { changeInputs, connectionInputs, storeInputs } from "./shared-inputs.ts"

type Read<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>

/** The inputs from which an action's tools are opened; what a contract does not have is absent. */
export type ToolInputs = Read<typeof connectionInputs> &
  Partial<Read<typeof storeInputs>> &
  Partial<Read<typeof changeInputs>>
