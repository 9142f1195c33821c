import { messageOf } from "../../core/errors.ts"
import { type Check, type Health, warned } from "../../core/health.ts"
import { totalKeys } from "../../core/key-counts.ts"
import type { Container } from "../../docker/stack.ts"
import { CommandError, HostError } from "../../host/host.ts"
import type { Service } from "../driver.ts"
import { askServer, explainPing } from "./ask-server.ts"
import { refusedOf } from "./refused-command.ts"
import { replicationChecks } from "./replication.ts"
import { productOf, type ServerAnswer } from "./server-answer.ts"

/** Share of `maxmemory` from which a server that cannot evict is reported. */
const memoryLimit = 0.9

/** PING, loading, memory, the last save and a replica's link to its master, in one round trip; a server that does not answer is an answer. */
export async function probeServer(service: Service, container: Container): Promise<Health> {
  if (container.state !== "running") {
    return { state: "unhealthy", checks: [failed("ping", `the container is ${container.state}`)], details: {} }
  }
  try {
    return judge(await askServer(service, container))
  } catch (error) {
    if (error instanceof HostError && error.fault !== "timeout") throw error
    if (!(error instanceof HostError) && !(error instanceof CommandError)) throw error
    return { state: "unhealthy", checks: [failed("ping", messageOf(error))], details: {} }
  }
}

/** The health that a server's own words show. */
export function judge(answer: ServerAnswer): Health {
  const { ping, fields, keyspace } = answer
  const { product, version } = productOf(answer)
  const loading = ping.startsWith("LOADING") || (ping === "PONG" && fields.loading !== "0")
  const refused = refusedOf(answer)
  if (refused) {
    const name = refused.command.toLowerCase()
    return { state: "unknown", checks: [{ name, state: "unknown", detail: `refused: ${refused.reply}` }], details: {} }
  }
  if (ping.startsWith("NOAUTH") || ping.startsWith("WRONGPASS")) {
    return { state: "unknown", checks: [{ name: "ping", state: "unknown", detail: explainPing(answer) }], details: {} }
  }
  if (loading)
    return { state: "degraded", checks: [{ name: "ping", state: "warning", detail: explainPing(answer) }], details: {} }
  const checks = [
    ping === "PONG" ? ok("ping", "PONG") : failed("ping", explainPing(answer)),
    ...(ping === "PONG" || fields.used_memory !== undefined ? [memory(answer), lastSave(answer, product)] : []),
    // It serves, and neither a start nor new containers bring its master back.
    ...replicationChecks(answer).map(warned),
  ]
  const worst = checks.some((one) => one.state === "failed")
    ? "unhealthy"
    : checks.some((one) => one.state === "warning" || one.state === "unknown")
      ? "degraded"
      : "healthy"
  return {
    state: worst,
    checks,
    details: {
      product,
      version,
      keys: totalKeys(keyspace),
      "used-memory-bytes": Number(fields.used_memory ?? 0),
      "max-memory-bytes": Number(fields.maxmemory ?? 0),
      role: fields.role ?? "unknown",
    },
  }
}

function memory({ fields }: ServerAnswer): Check {
  const used = Number(fields.used_memory)
  const limit = Number(fields.maxmemory)
  if (!Number.isFinite(used))
    return { name: "memory", state: "unknown", detail: "INFO does not tell the memory in use" }
  if (!Number.isFinite(limit) || limit === 0) return ok("memory", `${used} bytes in use, no limit set`)
  const detail = `${used} of ${limit} bytes in use (${Math.round((100 * used) / limit)} %)`
  const evicts = (fields.maxmemory_policy ?? "noeviction") !== "noeviction"
  return used / limit < memoryLimit || evicts ? ok("memory", detail) : { name: "memory", state: "warning", detail }
}

function lastSave({ fields }: ServerAnswer, product: string): Check {
  // Dragonfly's status of the last BGSAVE stays `ok` after a failure; the times tell.
  const broken =
    product === "dragonfly"
      ? Number(fields.last_failed_save ?? 0) > Number(fields.last_success_save ?? 0)
      : fields.rdb_last_bgsave_status !== undefined && fields.rdb_last_bgsave_status !== "ok"
  if (!broken) return ok("last-save", "no failed save")
  return {
    name: "last-save",
    state: "warning",
    detail: `the last save failed${fields.last_error ? `: ${fields.last_error}` : ""}`,
  }
}

function ok(name: string, detail: string): Check {
  return { name, state: "ok", detail }
}

function failed(name: string, detail: string): Check {
  return { name, state: "failed", detail }
}
