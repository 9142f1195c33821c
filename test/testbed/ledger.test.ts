import assert from "node:assert/strict"
import { test } from "node:test"
import { checksum, parseLedger } from "./ledger.ts"

test("a line torn by a kill is left out, what stands before it counts", () => {
  const text = `postgres 1 ${checksum(1)} 1000\nredis 1 ${checksum(1)} 1001\npostgres 2 ${checksum(2).slice(0, 7)}`
  assert.deepEqual(
    parseLedger(text).map(({ store, id, at }) => [store, id, at]),
    [
      ["postgres", 1, 1000],
      ["redis", 1, 1001],
    ],
  )
})

test("a bad line that is not the last one is an error, not a row fewer to look for", () => {
  assert.throws(
    () => parseLedger(`postgres 1 short 1000\npostgres 2 ${checksum(2)} 1001\n`),
    /not a line of the writer/,
  )
})

test("an empty record holds no entries", () => {
  assert.deepEqual(parseLedger(""), [])
})
