import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { type LostHostGround, lostHostGround } from "./lost-host-ground.ts"

const slot = 37

describe("the way back from a lost host, killed", () => {
  let ground: LostHostGround
  before(async () => {
    ground = await lostHostGround(slot)
    const { code, log } = await ground.act(["backup"])
    assert.equal(code, 0, log)
  })
  after(() => ground[Symbol.asyncDispose]())

  const cuts = [
    { step: "create-containers", cure: ["restore", "pipeline"] },
    { step: "note-restored-postgres", cure: ["pipeline"] },
  ]
  for (const { step, cure } of cuts)
    it(`at ${step}, is ended by ${cure.join(", then ")}`, async () => {
      const { page, act, images, loseHost, assertWhole } = ground
      await loseHost()
      for (const command of page.commands.slice(1, 4)) page.run(command)
      const words = (action: string) => (action === "pipeline" ? [action, "--images", images] : [action])
      const killed = await act(words("pipeline"), { step, nth: 1 })
      assert.equal(killed.code, null, killed.log)
      if (cure.length > 1) {
        const refused = await act(words("pipeline"))
        assert.equal(refused.outputs.reason, "restore-first", refused.log)
      }
      for (const action of cure) {
        const { code, log } = await act(words(action))
        assert.equal(code, 0, log)
      }
      await assertWhole()
    })
})
