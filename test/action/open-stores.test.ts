import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { test } from "node:test"
import { backupsContract } from "../../actions/backups/contract.ts"
import { openStores } from "../../src/action/open-stores.ts"
import { readInputs } from "../../src/action/read-inputs.ts"
import { terminalRuntime } from "../../src/cli/terminal-runtime.ts"
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

type Environment = Readonly<Record<string, string>>

function inputsFrom(env: Environment, given: Environment = {}) {
  const words = { inputs: new Map(Object.entries(given)), json: false, help: false }
  return readInputs(backupsContract, terminalRuntime({ arguments: words, env, directory: "/", writeLog: () => {} }))
}

const session = { AWS_ACCESS_KEY_ID: "AKIDENV", AWS_SECRET_ACCESS_KEY: "env secret", AWS_SESSION_TOKEN: "env token" }
const own = { S3_ACCESS_KEY_ID: "AKIDOWN", S3_SECRET_ACCESS_KEY: "own secret" }

function told(inputs: ReturnType<typeof inputsFrom>): readonly (string | undefined)[] {
  const names = ["s3-access-key-id", "s3-secret-access-key", "s3-session-token"] as const
  return names.map((name) => inputs[name]?.reveal())
}

test("keys and session token come from the environment as the AWS tools leave them, and never of two sets", () => {
  assert.deepEqual(told(inputsFrom(session)), ["AKIDENV", "env secret", "env token"])
  assert.deepEqual(told(inputsFrom({ ...session, ...own })), ["AKIDOWN", "own secret", undefined])
  assert.deepEqual(told(inputsFrom({ ...session, ...own, S3_SESSION_TOKEN: "own token" }))[2], "own token")
})

test("what S3 is asked is signed with the environment's keys, and carries their session token", async () => {
  const heard: string[] = []
  const server = createServer(({ headers }, answer) => {
    heard.push(`${headers.authorization} ${headers["x-amz-security-token"]}`)
    answer.writeHead(403).end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const env = { ...session, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  await using host = localHost()
  const [, s3] = openStores(host, { config, inputs: inputsFrom(env), context: { log: silentLogger, env } })
  try {
    await assert.rejects(async () => s3?.list(), { code: "s3-denied" })
  } finally {
    server.close()
  }
  assert.match(heard.join("\n"), /^AWS4-HMAC-SHA256 Credential=AKIDENV\/.* env token$/)
})
