import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  describeLease,
  isEarlierAttempt,
  isOwnClaim,
  leaseRecord,
  mayGoOn,
  parseClaim,
  parseLeaseState,
} from "../../src/core/lock-rules.ts"

const holder = { run: "77", attempt: "1", actor: "alice", purpose: "backup", url: "https://example.org/77" }
const line = `held 12 180 12 600 this ${leaseRecord(holder, "m1")}\n`

test("a held lock reads as number, holder, ages in milliseconds", () => {
  assert.deepEqual(parseLeaseState(line), {
    number: 12,
    root: 12,
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
  assert.equal(parseLeaseState("free 0\n"), undefined)
  assert.equal(parseLeaseState(`free 3 9 9 600 this ${leaseRecord(holder, "m1")}\n`), undefined)
  assert.equal(parseClaim("free 3 9 9 600 this {}\n")?.number, 3)
  for (const text of ["", "held", "free", "welcome to this server\nfree 3"])
    assert.throws(() => parseLeaseState(text), { code: "lease-unreadable" }, JSON.stringify(text))
})

test("whose claim it is, and who may go on with it", () => {
  const claim = (state: string, attempt: string, root?: number) =>
    parseClaim(`${state} 12 9 9 600 this ${leaseRecord({ ...holder, attempt }, "m1", root)}\n`) ?? assert.fail()
  const me = { run: "77", attempt: "2", number: 5 }
  const handed = claim("held", "2", 5)
  assert.deepEqual([handed.root, claim("held", "2").root], [5, 12])
  assert.ok(isOwnClaim(handed, me) && isOwnClaim(claim("held", "1", 5), me))
  assert.ok(!isOwnClaim(handed, { ...me, run: "78" }) && !isOwnClaim(handed, { ...me, number: 12 }))
  assert.ok(!isOwnClaim(claim("held", "3", 5), me), "a later attempt has taken over")
  assert.ok(mayGoOn(handed, me) && mayGoOn(claim("stale", "2", 5), me) && mayGoOn(claim("free", "1", 5), me))
  assert.ok(!mayGoOn(claim("free", "2", 5), me), "released in this attempt")
  assert.ok(isEarlierAttempt(claim("held", "9"), { run: "77", attempt: "10" }), "attempts are numbers")
  assert.ok(!isEarlierAttempt(claim("held", "2"), me) && !isEarlierAttempt(claim("held", "1"), { ...me, run: "78" }))
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
