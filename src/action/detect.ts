import type { Config } from "../core/config.ts"
import type { DeployedCommits } from "../core/release.ts"
import { localHost } from "../host/local.ts"
import { type Changes, detectChanges } from "../job/detect-changes.ts"
import { openRepository } from "../job/repository.ts"
import type { ActionContext } from "./outcome.ts"
import { readEvent } from "./read-event.ts"
import { summaryTable } from "./summary.ts"

export interface DetectInputs {
  readonly config: Config
  readonly base: string | undefined
  /** Undefined when the host was not asked. */
  readonly deployed: DeployedCommits | undefined
}

/** Compares the checkout on this machine with what is deployed, and says for each part why. */
export async function detect(inputs: DetectInputs, context: ActionContext): Promise<Changes> {
  const { directory, env, log, signal } = context
  await using local = localHost()
  const repository = openRepository(local, directory, signal)
  const changes = await detectChanges(repository, { ...inputs, event: await readEvent(env), log })
  for (const [part, why] of Object.entries(changes.why)) log.info(`${part}: ${why}`)
  return changes
}

/** The outputs that tell the changes, for every action that has them. */
export function changeOutputs({ files, base, baseSource, services }: Changes) {
  return {
    "infra-changed": files.infra.length > 0,
    "app-changed": files.app.length > 0,
    "migrations-changed": files.migrations.length > 0,
    base,
    "base-source": baseSource,
    "changed-services": services === "all" ? "all" : services.join(" "),
  }
}

export function changeSummary({ files, why }: Changes): string {
  const parts = ["infra", "app", "migrations"] as const
  const rows = parts.map((part) => {
    const list = files[part]
    const count = list === "all" ? "all" : String(list.length)
    const shown = list === "all" ? "" : list.slice(0, 50).join(", ") + (list.length > 50 ? ", ..." : "")
    return [part, count, why[part], shown]
  })
  return summaryTable("Changes", ["Part", "Files", "Why", "Which"], rows)
}
