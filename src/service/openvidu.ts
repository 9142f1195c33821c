import type { Check, Health } from "../core/health.ts"
import type { Container } from "../docker/stack.ts"
import type { RunResult } from "../host/host.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import { containerCheck, healthOf } from "./container.ts"
import type { Occupancy, Service, ServiceDriver } from "./driver.ts"

/**
 * OpenVidu 2 servers: `/openvidu/api/health` must say UP, and the number of sessions is told where the server's secret
 * lets us ask. `url` is the server's base URL as the host sees it.
 */
export function openviduDriver(): ServiceDriver {
  return { kinds: ["openvidu"], probe, occupancy }
}

async function probe(service: Service, container: Container): Promise<Health> {
  const docker = containerCheck(container)
  if (docker.state === "failed") return { state: "unhealthy", checks: [docker], details: {} }
  const result = await ask(service, container)
  if (result === undefined) {
    const check: Check = { name: "http", state: "unknown", detail: notSet(service) }
    return { state: healthOf([docker, check]), checks: [docker, check], details: {} }
  }
  const answer = result.code === 0 ? parseOpenvidu(result.stdout) : undefined
  const checks = [docker, ...(answer?.checks ?? [refused(result.code, result.stderr)])]
  return { state: healthOf(checks), checks, details: answer?.details ?? {} }
}

/** A session counts when somebody is connected to it, or when the server does not say who is. */
async function occupancy(service: Service, container: Container): Promise<Occupancy> {
  if (container.state !== "running") return { state: "free", detail: "it does not run" }
  const result = await ask(service, container)
  if (result === undefined) return { state: "unknown", detail: notSet(service) }
  if (result.code === 10) return { state: "unknown", detail: "the host has no curl to ask with" }
  if (result.code !== 0) return { state: "free", detail: "it does not answer" }
  const live = liveSessions(result.stdout)
  if (live === undefined) return { state: "unknown", detail: "its list of sessions cannot be read" }
  return { state: live === 0 ? "free" : "occupied", detail: `${live} live sessions` }
}

/** Undefined when nothing says where to ask. */
async function ask({ config, host }: Service, container: Container): Promise<RunResult | undefined> {
  if (config.url === undefined) return undefined
  const seconds = Math.max(1, Math.ceil(config.timeout / 1000))
  const command = script("read", remoteScript("openvidu-probe"), [new URL(config.url).origin, container.id, seconds])
  return host.run(command, { allow: "any", timeout: 2 * config.timeout + 10_000 })
}

function notSet({ name }: Service): string {
  return `services.${name}.url is not set: nothing to ask`
}

/** How many of the sessions that the server lists have somebody in them; undefined when its answer is not such a list. */
export function liveSessions(output: string): number | undefined {
  const listed = parseObject(/^sessions (.*)$/m.exec(output)?.[1] ?? "") as
    | { numberOfElements?: unknown; content?: unknown }
    | undefined
  const { numberOfElements: count, content } = listed ?? {}
  if (typeof count !== "number") return undefined
  if (!Array.isArray(content) || content.length !== count) return count
  return content.filter((one) => connectionsOf(one) !== 0).length
}

function connectionsOf(session: unknown): unknown {
  return (session as { connections?: { numberOfElements?: unknown } } | null)?.connections?.numberOfElements
}

/** Reads what `openvidu-probe.sh` printed. A body that is not the server's JSON is a wrong answer, never a good one. */
export function parseOpenvidu(output: string): Pick<Health, "checks" | "details"> {
  const body = (name: string) => new RegExp(`^${name} ?(.*)$`, "m").exec(output)?.[1] ?? ""
  const status = (parseObject(body("health")) as { status?: unknown } | undefined)?.status
  const sessions = (parseObject(body("sessions")) as { numberOfElements?: unknown } | undefined)?.numberOfElements
  const counted = typeof sessions === "number"
  return {
    checks: [
      {
        name: "http",
        state: status === "UP" ? "ok" : "failed",
        detail: typeof status === "string" ? `health is ${status}` : "the health path gave no status",
      },
      ...(counted ? [{ name: "sessions", state: "ok" as const, detail: `${sessions} sessions` }] : []),
    ],
    // The sessions are a number worth knowing, not a sign of health.
    details: { sessions: counted ? sessions : "unknown" },
  }
}

function refused(code: number, stderr: string): Check {
  if (code === 10) return { name: "http", state: "unknown", detail: "the host has no curl" }
  const last = stderr.trim().split("\n").at(-1)
  return { name: "http", state: "failed", detail: `no answer${last ? `: ${last}` : ""}` }
}

function parseObject(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    // Not JSON: told by the checks as a wrong answer.
    return undefined
  }
}
