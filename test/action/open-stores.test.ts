import assert from "node:assert/strict"
import { test } from "node:test"
import { openStores } from "../../src/action/open-stores.ts"
import { configSchema } from "../../src/core/config.ts"
import { localHost } from "../../src/host/local.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { Secret } from "../../src/shell/secret.ts"

const parsed = configSchema.parse({
  project: "shop",
  host: { address: "local" },
  backup: { s3: { bucket: "shop-backups" } },
})
const config = { ...parsed, environment: "test" }

/** Why the list of the S3 store cannot be had with this environment; nothing listens at the address. */
async function refusal(env: Readonly<Record<string, string>>): Promise<string> {
  await using host = localHost()
  const inputs = {
    "s3-access-key-id": new Secret("s3-access-key-id", "AKIDONE"),
    "s3-secret-access-key": new Secret("s3-secret-access-key", "secret"),
  }
  const address = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9" }
  const [, s3] = openStores(host, { config, inputs, context: { log: silentLogger, env: { ...address, ...env } } })
  const told = await s3?.list().then(
    () => "",
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  )
  return told ?? ""
}

test("the endpoint comes from the environment when the configuration has none", async () => {
  assert.match(await refusal({}), /^s3-unreachable: .* at http:\/\/127\.0\.0\.1:9/)
})

test("the end of the environment's session counts for its own credentials, and for no others", async () => {
  const ended = { AWS_CREDENTIAL_EXPIRATION: "2020-01-01T00:00:00Z" }
  assert.match(await refusal({ ...ended, AWS_ACCESS_KEY_ID: "AKIDONE" }), /^s3-session-ended: /)
  assert.match(await refusal({ ...ended, AWS_ACCESS_KEY_ID: "AKIDOTHER" }), /^s3-unreachable: /)
})
