import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Config, configSchema } from "../../src/core/config.ts"
import { backup } from "../../src/job/backup.ts"
import { checkInfra } from "../../src/job/check-infra.ts"
import { assertConfigured, lookConfigured } from "../../src/job/configured-services.ts"
import { recreate } from "../../src/job/recreate.ts"
import type { Tools } from "../../src/job/tools.ts"
import { verify } from "../../src/job/verify.ts"

/** A stack of `postgres` and, in a profile of its own, `api`; nothing else may be asked of it. */
function toolsFor(settings: Readonly<Record<string, unknown>>, warnings: string[] = []) {
  const parsed = configSchema.parse({ project: "shop", host: { address: "local" }, ...settings })
  const config: Config = { ...parsed, environment: "production" }
  const services = [
    { name: "postgres", profiles: [] },
    { name: "api", profiles: ["app"] },
  ]
  const stack = { definition: async () => ({ services }) }
  const log = { warning: (line: string) => void warnings.push(line) }
  return { config, stack, log, definition: [] } as unknown as Tools
}

const misspelt = { services: { postgress: { "critical-tables": ["public.users"] } } }
const message = /services\.postgress: .* no service postgress, did you mean postgres\?/

describe("a service that is configured and does not exist", () => {
  it("is an input error for who backs up, looks, recreates or verifies", async () => {
    const tools = toolsFor(misspelt)
    const uses = [backup, checkInfra, recreate, (all: Tools) => verify(all, { sections: ["data-integrity"] })]
    for (const use of uses) await assert.rejects(use(tools), { kind: "input", code: "unknown-service", message })
  })

  it("may come with the next recreate, which wants it to be there", async () => {
    const warnings: string[] = []
    const tools = toolsFor({ ...misspelt, compose: { upload: ["docker-compose.prod.yml"] } }, warnings)
    await lookConfigured(tools)
    assert.match(warnings.join("\n"), message)
    await assert.rejects(assertConfigured(tools), { code: "unknown-service", hint: /postgres, api/ })
    await assert.rejects(recreate(tools), { code: "unknown-service" })
  })

  it("is looked for in every profile, and among the app's services as well", async () => {
    await assertConfigured(toolsFor({ services: { postgres: {}, api: {} }, app: { services: ["api"] } }))
    const tools = toolsFor({ app: { services: ["appi"] } })
    await assert.rejects(assertConfigured(tools), { message: /app\.services: .* no service appi, did you mean api\?/ })
  })
})
