import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { localHost } from "../../src/host/local.ts"
import { stackTools } from "../support/stack-tools.ts"

const plain = "services: { db: { image: x } }"
const withFile = "services: { db: { image: x, env_file: db.env } }"

/** Compose file, environment file, the service's own, and the code of the error. */
const cases = [
  [plain, "PW=s3cr${et", "", "compose-env-file-invalid"],
  [plain, "PW=s3cr${et:?}", "", "compose-env-file-invalid"],
  [plain, 'PW="s3cret', "", "compose-env-file-invalid"],
  [plain, "9&PW=s3cret", "", "compose-env-file-invalid"],
  [withFile, "", "PW=s3cr${et", "compose-env-file-invalid"],
  [withFile, "", "PW=s3cr${et:?}", "compose-env-file-invalid"],
  [withFile, "", 'PW="s3cret', "compose-env-file-invalid"],
  ['services: { db: { image: x, environment: { PW: "a\\ns3cr${et\\nb" } } }', "", "", "compose-invalid"],
] as const

test("what compose says of a value that it cannot read is told without the value", async () => {
  await using host = localHost()
  const directory = mkdtempSync(join(tmpdir(), "t-values-"))
  try {
    const { stack } = stackTools({ project: "t-values", baseDir: directory }, { host })
    for (const [compose, environment, own, code] of cases) {
      writeFileSync(join(directory, "docker-compose.prod.yml"), compose)
      writeFileSync(join(directory, "docker-compose.override.yml"), "{}")
      writeFileSync(join(directory, ".env.production"), environment, { mode: 0o600 })
      writeFileSync(join(directory, "db.env"), own, { mode: 0o600 })
      await assert.rejects(stack.definition(), (error) => {
        assert.ok(error instanceof AppError)
        assert.equal(error.code, code, error.message)
        assert.doesNotMatch(`${error.message} ${error.hint}`, /s3cr|\bet\b/)
        return true
      })
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
