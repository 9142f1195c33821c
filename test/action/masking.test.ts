import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { createMasking } from "../../src/action/masking.ts"

test("every line of a secret is hidden, the longest match first", () => {
  const masking = createMasking()
  assert.deepEqual(masking.add("alpha-beta\r\n  alpha\n}\n"), ["alpha-beta\r\n  alpha\n}", "alpha-beta", "alpha"])
  assert.equal(masking.apply("x alpha-beta y alpha z } w"), "x *** y *** z } w")
})

test("no line of four characters or more is left, wherever it stands", () => {
  const line = fc.string({ minLength: 4 }).filter((text) => text.trim().length >= 4 && !text.includes("*"))
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.string(), (secret, around) => {
      const masking = createMasking()
      masking.add(secret.join("\n"))
      const shown = masking.apply(`${around}${secret.join(around)}${around}`)
      return secret.every((one) => !shown.includes(one.trim()))
    }),
  )
})
