import type { z } from "zod"
import type { Secret } from "../shell/secret.ts"
import type { changeInputs, connectionInputs, storeInputs } from "./shared-inputs.ts"

type Read<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>

/** What opens an encrypted copy, in the actions that restore. */
export interface BackupKeyInput {
  readonly "backup-key"?: Secret | undefined
}

/** The inputs from which an action's tools are opened; what a contract does not have is absent. */
export type ToolInputs = Read<typeof connectionInputs> &
  Partial<Read<typeof storeInputs>> &
  Partial<Read<typeof changeInputs>> &
  BackupKeyInput
