import { changeOutputs, changeSummary, detect } from "../../src/action/detect.ts"
import { loadConfig } from "../../src/action/load-config.ts"
import { hasAccess, openHost } from "../../src/action/open-host.ts"
import { action } from "../../src/action/outcome.ts"
import { layout } from "../../src/core/layout.ts"
import { readDeployed } from "../../src/job/deployed.ts"
import { detectChangesContract } from "./contract.ts"

export const detectChangesAction = action(detectChangesContract, async (inputs, context) => {
  const config = await loadConfig(inputs, context)
  const { log } = context
  const readHost = async () => {
    await using host = await openHost(config, inputs, context)
    return await readDeployed({ host, layout: layout(config), log })
  }
  const asked = hasAccess(config, inputs, context)
  if (!asked) log.warning("no `ssh-key` was given: what is deployed is not known, so the event's base is used")
  const deployed = asked ? await readHost() : undefined
  const changes = await detect({ config, base: inputs.base, deployed }, context)
  return {
    outputs: { status: "success", reason: "done", ...changeOutputs(changes) },
    summary: changeSummary(changes),
  }
})
