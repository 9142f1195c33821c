import { AppError } from "../core/errors.ts"
import { HostError } from "../host/host.ts"
import type { Tools } from "./tools.ts"

/** Whether this run may still act: it is not cancelled, has its lock, and knows what became of its last step. */
export function isOurs(tools: Tools, error: unknown): boolean {
  if (tools.signal.aborted || error instanceof HostError) return false
  return !(error instanceof AppError) || (error.code !== "lease-lost" && error.code !== "step-cut")
}
