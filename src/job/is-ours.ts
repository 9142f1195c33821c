import { mayStillAct } from "../host/work.ts"
import type { Tools } from "./tools.ts"

/** Whether this run may still act: it is not cancelled, has its lock, and knows what became of its last step. */
export function isOurs(tools: Tools, error: unknown): boolean {
  return !tools.signal.aborted && mayStillAct(error)
}
