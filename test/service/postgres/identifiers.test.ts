import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import {
  besideName,
  connectionTo,
  identifier,
  isBesideName,
  literal,
  stepPart,
} from "../../../src/service/postgres/identifiers.ts"

describe("identifier and literal", () => {
  it("double what would end them", () => {
    assert.equal(identifier('we"ird'), '"we""ird"')
    assert.equal(literal("o'dd\\"), "'o''dd\\'")
  })
})

describe("connectionTo", () => {
  it("cannot be broken out of", () => {
    assert.equal(connectionTo("a' host='evil"), "dbname='a\\' host=\\'evil'")
    assert.equal(connectionTo("a\\"), "dbname='a\\\\'")
    assert.equal(connectionTo(""), "")
  })
})

describe("besideName", () => {
  it("is at most 63 bytes, of whole characters, and recognised", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 63 }), (name) => {
        const beside = besideName(name, "new", "run")
        assert.ok(Buffer.byteLength(beside) <= 63)
        assert.ok(isBesideName(beside))
        assert.ok(beside.isWellFormed() || !name.isWellFormed())
      }),
    )
  })
  it("tells databases apart whose names begin alike", () => {
    const long = "x".repeat(62)
    assert.notEqual(besideName(`${long}1`, "new", "run"), besideName(`${long}2`, "new", "run"))
  })
})

describe("stepPart", () => {
  it("keeps plain names and makes others kebab-case without mixing them up", () => {
    assert.equal(stepPart("healthcare-db2"), "healthcare-db2")
    const parts = ["Health", "health", "he alth", "he_alth", "é", "\n"].map(stepPart)
    assert.equal(new Set(parts).size, parts.length)
    for (const part of parts) assert.match(part, /^[a-z0-9]+(-[a-z0-9]+)*$/)
  })
})
