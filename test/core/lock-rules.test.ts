import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { describeLease, leaseRecord, parseLeaseState } from "../../src/core/lock-rules.ts"

const holder = { run: "77", attempt: "1", actor: "alice", purpose: "backup", url: "https://example.org/77" }
const line = `held 12 180 12 600 this ${leaseRecord(holder, "m1")}\n`

test("a held lock reads as number, holder, ages in milliseconds", () => {
  assert.deepEqual(parseLeaseState(line), {
    number: 12,
    state: "held",
    holder,
    mark: "m1",
    held: 180_000,
    age: 12_000,
    ttl: 600_000,
    thisBoot: true,
  })
})

test("free is undefined; anything else that is not an answer is an error", () => {
  assert.equal(parseLeaseState("free 3\n"), undefined)
  for (const text of ["", "held", "free", "welcome to this server\nfree 3"])
    assert.throws(() => parseLeaseState(text), { code: "lease-unreadable" }, JSON.stringify(text))
})

test("a damaged record is still a claim", () => {
  const state = parseLeaseState("held 1 5 5 600 other \n")
  assert.equal(state?.holder, undefined)
  assert.match(describeLease(state ?? assert.fail()), /record is damaged/)
})

test("a message names who, what, the run and the age", () => {
  const text = describeLease(parseLeaseState(line) ?? assert.fail())
  assert.equal(
    text,
    "backup by alice (run 77, attempt 1, https://example.org/77), held for 3m 0s, last renewed 12.0s ago",
  )
})

test("a clock set back is said", () => {
  const state = parseLeaseState("ahead 1 -60 -60 600 this {}") ?? assert.fail()
  assert.match(describeLease(state), /renewed 1m 0s in the future: the host's clock was set back/)
})

test("any holder's record is one line that reads back, cut where it is too long", () => {
  const text = fc.string({ unit: "binary", maxLength: 500 })
  fc.assert(
    fc.property(fc.record({ run: text, attempt: text, actor: text, purpose: text, url: text }), (any) => {
      const record = leaseRecord(any, "mark")
      assert.ok(!record.includes("\n"))
      const read = parseLeaseState(`held 1 0 0 600 this ${record}\n`)?.holder
      for (const [key, value] of Object.entries(any)) assert.equal(read?.[key as keyof typeof any], value.slice(0, 400))
    }),
  )
})
