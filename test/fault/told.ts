import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { type Campaign, runCampaign } from "./campaign.ts"
import type { Round } from "./round.ts"
import { strikeText } from "./strike.ts"
import { faultTables } from "./table.ts"

/** Hours are for `script/test fault --all`. */
export const longestCampaign = 12 * 3_600_000

/** A campaign with a test for each round, and its tables at the end. `again` is the command that repeats all of it. */
export async function toldCampaign(
  test: TestContext,
  { again, ...campaign }: Omit<Campaign, "tell"> & { readonly again: string },
): Promise<readonly Round[]> {
  console.log(`the same again: ${again}`)
  const rounds: Round[] = []
  const places = await runCampaign({
    ...campaign,
    async tell(round) {
      rounds.push(round)
      const { strike, lost, wrong } = round
      const text = strikeText(strike)
      const repeat = `script/test fault --only '${text}'`
      await test.test(text, () =>
        assert.deepEqual({ lost, wrong }, { lost: 0, wrong: [] }, failed(round, [repeat, again])),
      )
    },
  })
  console.log(`\n${faultTables(rounds, places)}\n`)
  assert.ok(rounds.length > 0, "nothing was struck")
  const late = rounds.filter((one) => !one.hit).length
  assert.ok(late <= rounds.length / 2, `${late} of ${rounds.length} faults came too late to strike anything`)
  return rounds
}

function failed({ lost, wrong }: Round, commands: readonly string[]): string {
  return [`${lost} rows lost`, ...wrong, ...commands.map((command) => `repeat it: ${command}`)].join("\n")
}
