import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { it } from "node:test"
import { startOnRightData, stopWriters } from "../../src/job/writers.ts"
import { docker, open } from "../job/recreate-ground.ts"
import { removeStack, resetStack, testbed } from "../testbed/testbed.ts"
import { restartEngine } from "./faults.ts"
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

it("leaves an app that waits for a restore stopped when the Docker engine is restarted, whatever its policy", {
  skip,
}, async () => {
  const slot = slots[0] ?? 1
  const place = await resetStack({ slot, app: "v1" })
  const app = ["api", "worker"].map((service) => `${place.project}-${service}-1`)
  const seen = () => docker("inspect", "--format", "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}", ...app)
  await docker("update", "--restart", "always", ...app)
  await stopWriters(open(place), { awaits: "restore", backup: "backup-20260101-000000" })
  await restartEngine()
  assert.equal(await seen(), "exited no\nexited no")
  await startOnRightData(open(place))
  assert.match(await seen(), /^running (?!no)\S+\nrunning (?!no)\S+$/)
  await removeStack({ slot })
})
