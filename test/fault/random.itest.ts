import { it } from "node:test"
import { faultNames } from "./faults.ts"
import { actionsFrom, randomPortions, wantedFrom } from "./plans.ts"
import { slots } from "./slots.ts"
import { longestCampaign, toldCampaign } from "./told.ts"

const minutes = Number(process.env.FAULT_MINUTES ?? 10)
// The engine's restart would strike the other lane as well.
const wanted = wantedFrom(
  process.env,
  faultNames.filter((one) => one !== "dockerd-restart" || slots.length === 1),
  1,
)

it(`loses nothing in ${minutes} minutes of faults at random`, { timeout: longestCampaign }, async (test) => {
  await toldCampaign(test, {
    slots,
    actions: actionsFrom(process.env),
    plan(places) {
      // The good runs before do not count.
      const end = Date.now() + minutes * 60_000
      return randomPortions(wanted, places, () => Date.now() > end)
    },
    again: `script/test fault --random ${wanted.seed} --minutes ${minutes}`,
  })
})
