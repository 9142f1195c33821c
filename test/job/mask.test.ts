import assert from "node:assert/strict"
import { it } from "node:test"
import { parseDefinition } from "../../src/docker/compose-definition.ts"
import { masker } from "../../src/job/mask.ts"

const environment = {
  POSTGRES_PASSWORD: "p@ss/word1",
  DATABASE_URL: "postgres://app:ur1p%40ss@db:5432/x",
  JWT_SIGNING_KEY: "longer-p@ss/word1-longer",
  POSTGRES_USER: "app",
}
const mask = masker(parseDefinition(JSON.stringify({ name: "x", services: { db: { image: "i", environment } } })))

for (const secret of ["p@ss/word1", "p%40ss%2Fword1", "ur1p%40ss", "ur1p@ss", "longer-p@ss/word1-longer"]) {
  it(`takes ${secret} out of a log line`, () => {
    const masked = mask(`2026 LOG: connected with ${secret}, fine`)
    assert.equal(masked, "2026 LOG: connected with ***, fine")
  })
}

it("takes out what looks like a secret without being known", () => {
  assert.equal(mask("redis://:abc123def@cache:6379"), "redis://:***@cache:6379")
  assert.equal(mask("retry with token=abcdef and api_key: zzz"), "retry with token=*** and api_key: ***")
})

it("leaves the rest as it is", () => assert.equal(mask("app started, 12 users"), "app started, 12 users"))
