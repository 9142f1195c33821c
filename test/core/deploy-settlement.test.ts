import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { type CutDeployment, type SettledCopy, settlementOf } from "../../src/core/deploy-settlement.ts"

const copies = (serves: Readonly<Record<string, boolean>>): readonly SettledCopy[] =>
  Object.entries(serves).map(([service, one]) => ({ service, serves: one }))

const services = ["api", "worker"]
const base = {
  services,
  old: copies({ api: true, worker: true }),
  fresh: copies({ api: true, worker: true }),
  ...{ oldComplete: true, tookOver: false, answersWrong: false },
}
const none = copies({ api: false, worker: false })

describe("settlementOf", () => {
  it("goes back as long as the old copies serve and the new ones have not taken over", () => {
    assert.equal(settlementOf(base), "back")
    assert.equal(settlementOf({ ...base, fresh: none }), "back")
    assert.equal(settlementOf({ ...base, answersWrong: true }), "back")
  })

  it("goes forward when the new ones have taken over, or they alone serve", () => {
    assert.equal(settlementOf({ ...base, tookOver: true }), "forward")
    assert.equal(settlementOf({ ...base, old: none }), "forward")
  })

  it("keeps both sets while neither serves", () => {
    assert.equal(settlementOf({ ...base, old: none, fresh: none }), "undecided")
    assert.equal(settlementOf({ ...base, old: none, answersWrong: true }), "undecided")
    assert.equal(settlementOf({ ...base, oldComplete: false, fresh: none }), "undecided")
    assert.equal(settlementOf({ ...base, old: copies({ api: true, worker: false }), fresh: none }), "undecided")
  })

  it("has nothing to choose from where one set is left", () => {
    assert.equal(settlementOf({ ...base, old: [] }), "one-set")
    assert.equal(settlementOf({ ...base, fresh: [], old: none }), "one-set")
  })

  it("never takes away a set while the other does not serve each of its services", () => {
    const set = fc.array(fc.record({ service: fc.constantFrom(...services), serves: fc.boolean() }), { maxLength: 5 })
    const flags = { oldComplete: fc.boolean(), tookOver: fc.boolean(), answersWrong: fc.boolean() }
    fc.assert(
      fc.property(
        fc.record({ services: fc.constant(services), old: set, fresh: set, ...flags }),
        (cut: CutDeployment) => {
          const settlement = settlementOf(cut)
          const serves = (some: readonly SettledCopy[], name: string) =>
            some.some((one) => one.service === name && one.serves)
          if (settlement === "forward") assert.ok(services.every((name) => serves(cut.fresh, name)))
          if (settlement === "back") for (const { service } of cut.old) assert.ok(serves(cut.old, service))
        },
      ),
    )
  })
})
