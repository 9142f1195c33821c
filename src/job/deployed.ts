import { type DeployedCommits, deployedCommits } from "../core/release.ts"
import { readHistory } from "./release-history.ts"
import type { Tools } from "./tools.ts"

/**
 * The commits whose files the host runs, from its release history; none where nothing was deployed yet. A history with
 * lines that cannot be read says nothing certain: then none as well. Throws when the host gives no answer.
 */
export async function readDeployed(tools: Pick<Tools, "host" | "layout" | "log">): Promise<DeployedCommits> {
  const history = await readHistory(tools)
  return history.unreadable.length === 0 ? deployedCommits(history) : { infra: undefined, app: undefined }
}
