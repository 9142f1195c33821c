import { z } from "zod"
import type { Check, Health } from "../../core/health.ts"
import type { Container } from "../../docker/stack.ts"
import { CommandError, HostError } from "../../host/host.ts"
import type { LastBackup, Service } from "../driver.ts"
import { execInside } from "./inside.ts"
import { cameToEnd, markedLines, newNonce } from "./marked-lines.ts"
import { checkDatabases, type ExpectedDatabases, expectedDatabases } from "./missing-databases.ts"
import { probeSql } from "./sql.ts"

/** Share of max_connections in use from which the server is reported: some are reserved, and a deploy needs its own. */
const connectionLimit = 0.9

const factsSchema = z.object({
  connections: z.number(),
  maxConnections: z.number(),
  version: z.string(),
  standby: z.boolean(),
  sizes: z.record(z.string(), z.number()),
  databases: z.array(z.string()),
})

/** pg_isready, a query, connections and sizes, in one round trip; every question has `services.<name>.timeout` as its limit. */
export async function probeServer(service: Service, container: Container, last?: LastBackup): Promise<Health> {
  if (container.state !== "running") {
    const detail = `${container.state}, exit code ${container.exitCode}${container.oomKilled ? ", out of memory" : ""}`
    return { state: "unhealthy", checks: [{ name: "container", state: "failed", detail }], details: {} }
  }
  const nonce = newNonce()
  const limit = Math.max(1, Math.ceil(service.config.timeout / 1000))
  const command = execInside("read", container, { name: "probe", args: [nonce, limit, probeSql] })
  try {
    const { stdout } = await service.host.run(command, { timeout: 3 * (limit + 2) * 1000 })
    return healthOf(markedLines(stdout, nonce), (initial) => expectedDatabases(service, last, initial))
  } catch (error) {
    // The container cannot be entered, or never answered: that says something about it, unlike a host that is away.
    if (error instanceof CommandError || (error instanceof HostError && error.fault === "timeout"))
      return { state: "unhealthy", checks: [{ name: "exec", state: "failed", detail: error.message }], details: {} }
    throw error
  }
}

/** Health from the lines `ready CODE TEXT`, `select CODE TEXT`, `facts CODE {json}`, `initial CODE NAME`. */
export function healthOf(
  lines: readonly string[],
  expected: (initial: string | undefined) => ExpectedDatabases,
): Health {
  if (!cameToEnd(lines)) {
    return { state: "unknown", checks: [{ name: "probe", state: "unknown", detail: "it broke off" }], details: {} }
  }
  const ready = answer(lines, "ready")
  const select = answer(lines, "select")
  const facts = answer(lines, "facts")
  const checks: Check[] = [
    ready.code === 0
      ? { name: "pg_isready", state: "ok", detail: "accepts connections" }
      : { name: "pg_isready", state: "failed", detail: notReady(ready.code) },
    select.code === 0 && select.text === "1"
      ? { name: "select", state: "ok", detail: "SELECT 1 gives 1" }
      : { name: "select", state: "failed", detail: failedWith(select) },
  ]
  if (checks.some((check) => check.state === "failed")) return { state: "unhealthy", checks, details: {} }
  const parsed = facts.code === 0 ? factsSchema.safeParse(JSON.parse(facts.text)) : undefined
  if (!parsed?.success) {
    const detail = facts.code === 0 ? "the answer makes no sense" : failedWith(facts)
    return { state: "degraded", checks: [...checks, { name: "connections", state: "unknown", detail }], details: {} }
  }
  const initial = answer(lines, "initial")
  const should = expected(initial.code === 0 ? initial.text : undefined)
  return withFacts([...checks, checkDatabases(should, parsed.data.databases)], parsed.data)
}

function withFacts(checks: readonly Check[], facts: z.output<typeof factsSchema>): Health {
  const { connections, maxConnections, sizes, version } = facts
  const full = connections >= maxConnections * connectionLimit
  const size = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0)
  return {
    state: full || checks.some(({ state }) => state !== "ok") ? "degraded" : "healthy",
    checks: [
      ...checks,
      { name: "connections", state: full ? "warning" : "ok", detail: `${connections} of ${maxConnections}` },
      { name: "size", state: "ok", detail: `${size} bytes in ${Object.keys(sizes).length} databases` },
    ],
    details: { version, connections, "max-connections": maxConnections, "database-size-bytes": size },
  }
}

interface Answer {
  readonly code: number
  readonly text: string
}

function answer(lines: readonly string[], name: string): Answer {
  const found = new RegExp(`^${name} (\\d+) ?(.*)$`)
  const parts = lines.map((line) => found.exec(line)).find((match) => match !== null)
  return parts ? { code: Number(parts[1]), text: (parts[2] ?? "").trim() } : { code: -1, text: "no answer" }
}

/** Exit codes of pg_isready (its manual), and of `timeout`. */
function notReady(code: number): string {
  if (code === 1) return "the server rejects connections: it starts, stops or recovers"
  if (code === 2) return "the server does not respond"
  return isTimeout(code) ? "pg_isready hangs" : `pg_isready ended with ${code}`
}

function failedWith({ code, text }: Answer): string {
  return isTimeout(code) ? "no answer within the limit" : text.slice(0, 300) || `exit code ${code}`
}

function isTimeout(code: number): boolean {
  return code === 124 || code === 137 || code === 143
}
