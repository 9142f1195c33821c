import assert from "node:assert/strict"
import { it } from "node:test"
import { type Ground, openGround, slots } from "./ground.ts"
import { chooseKills, good, killedRound, type Next, printRounds, type Round } from "./loop.ts"
import type { Kill } from "./tool.ts"

it("loses nothing, whichever step of backup or recreate is the last one that its runner saw", {
  timeout: 1_500_000,
}, async (test) => {
  const rounds: Round[] = []
  const tell = async (round: Round) => {
    rounds.push(round)
    const { action, name, delay, lost, wrong } = round
    await test.test(`${action} killed at ${name} + ${delay} ms`, () =>
      assert.deepEqual({ lost, wrong }, { lost: 0, wrong: [] }),
    )
  }
  // The stacks share the work side by side: most of a round is waiting.
  await Promise.all(slots.map((_, lane) => runLane(lane, tell)))
  printRounds(rounds)
  assert.ok(rounds.length > 0, "no step was chosen")
})

/** After one of so many kills of recreate the next run is a backup and a recreate, otherwise a backup alone: the harder case. */
const each = process.env.FAULT_ALL ? 2 : 4

/** One stack's share of the kills. */
async function runLane(lane: number, tell: (round: Round) => Promise<void>): Promise<void> {
  await using ground = await openGround(slots[lane])
  const proof = { id: "" }
  // The first two make what retention then removes: the third has every step.
  await backUp(ground, proof)
  await backUp(ground, proof)
  const steps = await good(ground, ["backup"])
  for (const kill of share(chooseKills(steps.moments), lane))
    await tell(await killedRound(ground, { words: ["backup"], kill, next: backupNext(ground, proof) }))

  await backUp(ground, proof)
  ground.changeDefinition()
  const { moments } = await good(ground, recreation(proof))
  await backUp(ground, proof)
  for (const [index, kill] of share(chooseKills(moments), lane).entries()) {
    ground.changeDefinition()
    const next = index % each === 1 ? recreateNext(ground, proof) : backupNext(ground, proof)
    await tell(await killedRound(ground, { words: recreation(proof), kill, next }))
  }
}

function share(kills: readonly Kill[], lane: number): readonly Kill[] {
  return kills.filter((_, index) => index % slots.length === lane)
}

/** The newest backup of this run, which recreate asks for. */
interface Proof {
  id: string
}

function recreation({ id }: Proof): readonly string[] {
  return ["recreate", "--backup-id", id]
}

async function backUp(ground: Ground, proof: Proof): Promise<void> {
  const { outputs } = await good(ground, ["backup"])
  proof.id = String(outputs["backup-id"])
}

function backupNext(ground: Ground, proof: Proof): Next {
  return { name: "backup", run: () => backUp(ground, proof) }
}

function recreateNext(ground: Ground, proof: Proof): Next {
  return {
    name: "backup, recreate",
    async run() {
      await backUp(ground, proof)
      await good(ground, recreation(proof))
    },
  }
}
