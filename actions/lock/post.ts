import { loadConfig } from "../../src/action/load-config.ts"
import { openHost } from "../../src/action/open-host.ts"
import { runPost } from "../../src/action/run-post.ts"
import { layout } from "../../src/core/layout.ts"
import { releaseLease } from "../../src/host/open-lease.ts"
import { claimState } from "./action.ts"
import { lockContract } from "./contract.ts"

void runPost(lockContract, async (inputs, context, state) => {
  const claim = state(claimState)
  if (claim === undefined) return
  const config = await loadConfig(inputs, context)
  await using host = await openHost(config, inputs, context)
  const { lock, work } = layout(config)
  const outcome = await releaseLease(host, { directory: lock, work, number: Number(claim) })
  const said = {
    released: "released",
    working: "released when the work on the host ends",
    "not-held": "not held any more",
  }
  context.log.info(`Lock ${claim}: ${said[outcome]}`)
})
