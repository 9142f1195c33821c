import { existsSync } from "node:fs"
import { join } from "node:path"
import { it } from "node:test"
import { testbed } from "../testbed/testbed.ts"
import { actionsFrom, portionsOf, strikesOf, wantedFrom } from "./plans.ts"
import { slots } from "./slots.ts"
import { randomFrom, shuffled } from "./strike.ts"
import { longestCampaign, toldCampaign } from "./told.ts"

const wanted = wantedFrom(process.env, ["dockerd-restart"], 2)
const isOurs = existsSync(join(testbed().state, "pid/dockerd"))
// An engine that was there before the testbed is nobody's to restart.
const skip = isOurs ? false : "the Docker engine is not the testbed's own"

/** Two actions that the seed draws in the short form: the engine is away for seconds each time. */
function actions() {
  const all = actionsFrom(process.env)
  return wanted.extent === "short" ? shuffled(all, randomFrom(wanted.seed)).slice(0, 2) : all
}

it("loses nothing when the Docker engine is restarted under an action", {
  skip,
  timeout: longestCampaign,
}, async (test) => {
  await toldCampaign(test, {
    slots: slots.slice(0, 1),
    actions: actions(),
    plan: (places) => portionsOf(strikesOf(wanted, places)),
    again: `FAULT_SEED=${wanted.seed} FAULT_EXTENT=${wanted.extent} script/test test/fault/dockerd`,
  })
})
