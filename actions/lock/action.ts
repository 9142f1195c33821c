import { loadConfig } from "../../src/action/load-config.ts"
import { openHost } from "../../src/action/open-host.ts"
import { action } from "../../src/action/outcome.ts"
import { layout } from "../../src/core/layout.ts"
import { systemClock } from "../../src/job/clock.ts"
import { lock } from "../../src/job/lock.ts"
import { lockContract } from "./contract.ts"

/** Name of the state by which the post step knows the claim to release. */
export const claimState = "claim"

export const lockAction = action(lockContract, async (inputs, context) => {
  const config = await loadConfig(inputs, context)
  await using host = await openHost(config, inputs, context)
  const tools = { ...context, config, host, layout: layout(config), clock: systemClock }
  const done = await lock(tools, {
    mode: inputs.mode,
    number: inputs["lock-number"],
    wait: inputs["lock-wait"] ?? config.lock.wait,
    purpose: inputs.purpose,
    onClaim: (number) => inputs.keep || context.saveState(claimState, String(number)),
  })
  context.log.info(done.holder ? `Held by ${done.holder}` : "Nobody holds the lock")
  return {
    outputs: {
      status: "success",
      reason: done.reason,
      acquired: done.acquired,
      holder: done.holder,
      "lock-number": done.number === undefined ? "" : String(done.number),
      "lease-expires": done.expires?.toISOString() ?? "",
    },
  }
})
