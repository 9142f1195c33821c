import assert from "node:assert/strict"
import { test } from "node:test"
import { format, inspect } from "node:util"
import { Secret } from "../../src/shell/secret.ts"

test("a secret shows its value to nobody but who asks for it", () => {
  const value = "hunter2"
  const secret = new Secret("s3-secret", value)
  assert.equal(secret.reveal(), value)
  const shown = [
    String(secret),
    `${secret}`,
    ["a", secret].join(),
    JSON.stringify({ secret }),
    inspect({ deep: [secret] }, { showHidden: true, depth: 9 }),
    format("%s %o %j", secret, secret, secret),
    Object.keys(secret).join(),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(structuredClone(secret)),
    new Error(`bad ${secret}`, { cause: secret }).stack ?? "",
  ]
  for (const text of shown) assert.doesNotMatch(text, /hunter2/)
  assert.match(inspect(secret), /s3-secret/)
})
