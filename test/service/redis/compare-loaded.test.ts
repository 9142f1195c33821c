import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { countsOf, type Keyspace, keyRanges, keysIn, persistentKeys, totalKeys } from "../../../src/core/key-counts.ts"
import type { KeysContents } from "../../../src/core/manifest.ts"
import { compareLoaded } from "../../../src/service/redis/compare-loaded.ts"

type State = readonly { readonly lasting: number; readonly short: number }[]

/** What writers, time and eviction do to a server of three databases. */
interface Change {
  readonly database: number
  readonly lasting: number
  readonly short: number
}
const changes = fc.array(
  fc.record({ database: fc.nat(2), lasting: fc.integer({ min: -3, max: 5 }), short: fc.integer({ min: -3, max: 5 }) }),
  { maxLength: 8 },
)
const first = fc.array(fc.record({ lasting: fc.nat(20), short: fc.nat(20) }), { minLength: 3, maxLength: 3 })

function apply(state: State, list: readonly Change[]): State {
  const next = state.map((one) => ({ ...one }))
  for (const { database, lasting, short } of list) {
    const one = next[database]
    if (!one) continue
    one.lasting = Math.max(0, one.lasting + lasting)
    one.short = Math.max(0, one.short + short)
  }
  return next
}

function keyspaceOf(state: State): Keyspace {
  return state
    .map(({ lasting, short }, database) => ({ database, keys: lasting + short, expires: short }))
    .filter(({ keys }) => keys > 0)
}

/** A snapshot while writers run: what the server says before and after it, and the truth at its moment. */
const saves = fc
  .record({
    start: first,
    early: changes,
    late: changes,
    tells: fc.boolean(),
    ranOut: fc.nat(100),
    lost: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ start, early, late, tells, ranOut, lost }) => {
    const cut = apply(start, early)
    const truth = keyspaceOf(cut)
    const written = tells ? totalKeys(truth) : undefined
    const quiet = early.length === 0 && late.length === 0
    const counts = countsOf({ before: keyspaceOf(start), after: keyspaceOf(apply(cut, late)), written, quiet })
    const contents: KeysContents = { kind: "dragonfly", product: "dragonfly", version: "1", ...counts }
    const loaded = keyspaceOf(cut.map(({ lasting, short }) => ({ lasting, short: Math.floor((short * ranOut) / 100) })))
    return { contents, truth, loaded, lost, grew: [...early, ...late].every((one) => one.lasting >= 0) }
  })

test("counts without a range are those of the snapshot, however often equal ones were seen around it", () => {
  fc.assert(
    fc.property(saves, ({ contents, truth }) => {
      if (contents.earlier === undefined) assert.deepEqual(contents.keyspace, truth)
      if (contents.written !== undefined) assert.equal(keysIn(contents), totalKeys(truth))
    }),
    { numRuns: 500 },
  )
  const around = [{ database: 0, keys: 5, expires: 0 }]
  const counts = countsOf({ before: around, after: around, written: undefined, quiet: false })
  assert.deepEqual(counts, { keyspace: around, earlier: around })
  assert.ok(countsOf({ before: around, after: around, written: 4, quiet: true }).earlier)
})

test("what was loaded whole is never an alarm, whatever was written beside the snapshot and ran out since", () => {
  fc.assert(
    fc.property(saves, ({ contents, truth, loaded, grew }) => {
      const told = compareLoaded(contents, { keyspace: loaded }, totalKeys(truth))
      if (contents.written !== undefined || contents.earlier === undefined) assert.deepEqual(told.different, [])
      const untold = compareLoaded(contents, { keyspace: loaded }, undefined)
      if (grew) assert.deepEqual(untold.different, [])
      if (contents.earlier !== undefined) assert.ok(untold.caveat, "what was compared with a range is told")
    }),
    { numRuns: 1000 },
  )
})

test("a key that was not loaded is always an alarm, by what the server read or by the counts", () => {
  fc.assert(
    fc.property(saves, ({ contents, truth, loaded, lost }) => {
      const total = totalKeys(truth)
      if (total < lost) return
      if (contents.written !== undefined)
        assert.notDeepEqual(compareLoaded(contents, { keyspace: loaded }, total - lost).different, [])
      if (contents.earlier !== undefined) return
      for (const [database, keys] of persistentKeys(truth)) {
        const fewer = loaded
          .map((one) => (one.database === database ? { ...one, keys: one.keys - Math.min(lost, keys) } : one))
          .filter((one) => one.keys > 0)
        for (const read of [undefined, total])
          assert.notDeepEqual(compareLoaded(contents, { keyspace: fewer }, read).different, [])
      }
    }),
    { numRuns: 1000 },
  )
})

test("a range reaches from one count to the other, and as far more as they are off from what was written", () => {
  const keyspace = (keys: number) => [{ database: 2, keys: keys + 3, expires: 3 }]
  const contents = (written?: number): KeysContents => ({
    ...{ kind: "dragonfly", product: "dragonfly", version: "1" },
    ...countsOf({ before: keyspace(10), after: keyspace(14), written, quiet: false }),
  })
  assert.deepEqual(keyRanges(contents()).get(2), { least: 10, most: 14 })
  assert.deepEqual(keyRanges(contents(9)).get(2), { least: 2, most: 22 })
  const found = (keys: number) => compareLoaded(contents(), { keyspace: keyspace(keys) }, undefined)
  assert.deepEqual(found(12).different, [])
  assert.match(found(12).caveat ?? "", /does not tell how many keys it read/)
  assert.deepEqual(found(9).different, ["db2 has 9 keys without expiry instead of 10 to 14"])
  assert.deepEqual(found(15).different, ["db2 has 15 keys without expiry instead of 10 to 14"])
})
