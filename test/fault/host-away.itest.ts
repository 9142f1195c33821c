import assert from "node:assert/strict"
import { it } from "node:test"
import { openGround } from "./ground.ts"
import { disorder, lostRows, waitForLock } from "./look.ts"
import { good } from "./loop.ts"

it("says that the work goes on, and leaves it to the next run, when the host stays away", async () => {
  await using ground = await openGround(24)
  const { way } = ground
  const { outputs } = await good(ground, ["backup"])
  for (const [step, said] of [
    ["stop-postgres", /The step goes on by itself on the host/],
    ["wait-healthy", /the next run finishes or undoes what this one has begun/],
  ] as const) {
    ground.changeDefinition()
    const words = ["recreate", "--backup-id", String(outputs["backup-id"])]
    const { code, log, after = 0 } = await ground.run(words, { step, nth: 1, delay: 0, strike: () => way.cut() })
    await way.mend()
    assert.equal(code, 2, log)
    assert.match(log, said)
    assert.ok(after < 120, `${after} s after the host went away`)
    await waitForLock(ground)
    const next = await good(ground, ["backup"])
    assert.match(next.log, /cut off while it had the app stopped/)
    assert.deepEqual(await disorder(ground, 20), [])
    assert.equal(await lostRows(ground), 0)
  }
})
