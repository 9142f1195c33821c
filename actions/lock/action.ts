import { randomUUID } from "node:crypto"
import { loadConfig } from "../../src/action/load-config.ts"
import { openHost } from "../../src/action/open-host.ts"
import { action } from "../../src/action/outcome.ts"
import { rememberClaim } from "../../src/action/post-claim.ts"
import { layout } from "../../src/core/layout.ts"
import { systemClock } from "../../src/job/clock.ts"
import { lock } from "../../src/job/lock.ts"
import { lockContract } from "./contract.ts"

export const lockAction = action(lockContract, async (inputs, context) => {
  const config = await loadConfig(inputs, context)
  await using host = await openHost(config, inputs, context)
  const tools = { ...context, config, host, layout: layout(config), clock: systemClock }
  const mark = randomUUID()
  const givenBack = inputs.mode === "acquire" && !inputs.keep
  const place = { directory: tools.layout.lock, work: tools.layout.work, mark }
  if (givenBack) rememberClaim(context, place)
  const done = await lock(tools, {
    mode: inputs.mode,
    number: inputs["lock-number"],
    wait: inputs["lock-wait"] ?? config.lock.wait,
    purpose: inputs.purpose,
    mark,
  })
  if (givenBack && done.number !== undefined) rememberClaim(context, { ...place, number: done.number })
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
