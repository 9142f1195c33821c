import { it } from "node:test"
import { faultNames } from "./faults.ts"
import { actionsFrom, onlyStrikes, portionsOf, strikesOf, wantedFrom } from "./plans.ts"
import { slots } from "./slots.ts"
import type { Strike } from "./strike.ts"
import { longestCampaign, toldCampaign } from "./told.ts"

// The engine's restart hits every stack on the machine: it has a file of its own.
const wanted = wantedFrom(
  process.env,
  faultNames.filter((one) => one !== "dockerd-restart"),
  5,
)
// One at a time where one was asked for, or where everything on the machine is struck.
const alone = (strikes: readonly Strike[]) =>
  strikes.length === 1 || strikes.some((one) => one.fault === "dockerd-restart")
const only = process.env.FAULT_ONLY === undefined ? undefined : onlyStrikes(process.env.FAULT_ONLY)

it("loses nothing, whichever step of whichever action a fault strikes", { timeout: longestCampaign }, async (test) => {
  const { extent, seed } = wanted
  await toldCampaign(test, {
    slots: only && alone(only) ? slots.slice(0, 1) : slots,
    actions: only ? [] : actionsFrom(process.env),
    plan: (places) => portionsOf(only ?? strikesOf(wanted, places)),
    again: only
      ? `script/test fault --only '${process.env.FAULT_ONLY}'`
      : extent === "short"
        ? `FAULT_SEED=${seed} script/test test/fault/faults`
        : `script/test fault${extent === "all" ? " --all" : ""}`,
  })
})
