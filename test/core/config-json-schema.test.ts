import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { configJsonSchema, knownKeys } from "../../src/core/config-json-schema.ts"

test("infra.schema.json is the schema of the code; script/build writes it", () => {
  const published = readFileSync(new URL("../../infra.schema.json", import.meta.url), "utf8")
  assert.equal(published, `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
})

test("only the project is required, and an environment's overrides require nothing", () => {
  const schema = configJsonSchema()
  assert.deepEqual(schema.required, ["project"])
  const override = schema.properties?.environments?.additionalProperties
  assert.ok(typeof override === "object")
  assert.doesNotMatch(JSON.stringify(override), /"required":\[|"default"/)
  assert.equal(override.additionalProperties, false)
  assert.ok(!("project" in (override.properties ?? {})))
})

test("the keys that may stand at a place are known", () => {
  assert.ok(knownKeys([]).includes("project"))
  assert.ok(knownKeys(["backup", "s3"]).includes("bucket"))
  assert.ok(knownKeys(["services", "any-name"]).includes("kind"))
  assert.deepEqual(knownKeys(["services"]), [])
  assert.deepEqual(knownKeys(["host", "address"]), [])
})
