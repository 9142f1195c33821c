import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { compareCopied } from "../../src/core/copied-rows.ts"

const copied = (rows: Readonly<Record<string, number>>) =>
  Object.entries(rows).map(([table, count]) => ({ database: undefined, table, rows: count }))

describe("rows that a script copied", () => {
  const counted = [
    { schema: "public", name: "users", rows: 3 },
    { schema: "audit", name: "users", rows: 5 },
    { schema: "public", name: 'ta"b.le', rows: 2 },
    { schema: "public", name: "visits", rows: 7 },
  ]

  test("are those that came in, by the server's own reading of names", () => {
    const same = { "public.users": 3, "AUDIT.Users": 5, '"public"."ta""b.le"': 2, visits: 7 }
    assert.deepEqual(compareCopied(copied(same), counted), { wrong: [], unknown: [] })
    assert.deepEqual(compareCopied(copied({ "public.users": 4, Visits: 0 }), counted).wrong, [
      "public.users: 3 rows instead of 4",
      "Visits: 7 rows instead of 0",
    ])
  })

  test("are added up where a table is copied in parts", () => {
    const parts = [...copied({ visits: 4 }), ...copied({ visits: 3 })]
    assert.deepEqual(compareCopied(parts, counted), { wrong: [], unknown: [] })
    assert.deepEqual(compareCopied(parts.slice(1), counted).wrong, ["visits: 7 rows instead of 3"])
  })

  test("of a table that is not counted, or may be one of two, are not known to have come in", () => {
    const result = compareCopied(copied({ users: 3, "public.partitioned": 9, '"Visits"': 7 }), counted)
    assert.deepEqual(result, { wrong: [], unknown: ["users", "public.partitioned", '"Visits"'] })
  })

  test("never differ without being told", () => {
    const name = fc.string({ minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(name, name, fc.nat(99), fc.nat(99), (schema, table, rows, came) => {
        const quoted = [schema, table].map((one) => `"${one.replaceAll('"', '""')}"`).join(".")
        const { wrong, unknown } = compareCopied(copied({ [quoted]: rows }), [{ schema, name: table, rows: came }])
        assert.deepEqual([wrong.length, unknown], [rows === came ? 0 : 1, []])
      }),
    )
  })
})
