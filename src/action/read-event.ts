import { readFile } from "node:fs/promises"
import type { WorkflowEvent } from "../job/event-base.ts"

/** The event that started the workflow, from the file that the runner names; of no name outside of GitHub. */
export async function readEvent(env: Readonly<Record<string, string | undefined>>): Promise<WorkflowEvent> {
  const path = env.GITHUB_EVENT_PATH
  const payload: unknown = path ? JSON.parse(await readFile(path, "utf8")) : {}
  return { name: env.GITHUB_EVENT_NAME ?? "", payload }
}
