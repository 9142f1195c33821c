import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { isFixed, pin, repositoryOf } from "../../src/docker/image.ts"

const digest = `sha256:${"a".repeat(64)}`

describe("image references", () => {
  for (const [reference, repository] of [
    ["postgres:17", "postgres"],
    ["127.0.0.1:5000/app", "127.0.0.1:5000/app"],
    ["127.0.0.1:5000/app:v1", "127.0.0.1:5000/app"],
    [`ghcr.io/org/app:v1@${digest}`, "ghcr.io/org/app"],
    [`ghcr.io/org/app@${digest}`, "ghcr.io/org/app"],
  ] as const) {
    it(`${reference} is of ${repository}`, () => assert.equal(repositoryOf(reference), repository))
  }

  it("only a digest or an id is fixed", () => {
    assert.ok(isFixed(`app@${digest}`) && isFixed(digest))
    assert.ok(!isFixed("app:v1") && !isFixed("app") && !isFixed("app:sha256-x"))
  })
})

describe("pin", () => {
  const id = `sha256:${"b".repeat(64)}`

  it("takes the digest in the repository that was asked for", () => {
    const digests = [`mirror/app@${digest}`, `ghcr.io/org/app@${digest}`]
    assert.equal(pin("ghcr.io/org/app:v1", { id, digests, tags: [] }).reference, digests[1])
  })

  it("knows Docker Hub's short names", () => {
    const digests = [`mirror/postgres@${digest}`, `postgres@${digest}`]
    assert.equal(pin("docker.io/library/postgres:17", { id, digests, tags: [] }).reference, digests[1])
  })

  it("falls back to the id of an image that was never in a registry", () => {
    assert.equal(pin("app:dev", { id, digests: [], tags: ["app:dev"] }).reference, id)
  })
})
