import type { Check, Health } from "../core/health.ts"
import type { Container } from "../docker/stack.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import { containerCheck, healthOf } from "./container.ts"
import type { Service, ServiceDriver } from "./driver.ts"

/**
 * OpenVidu 2 servers: `/openvidu/api/health` must say UP, and the number of sessions is told where the server's secret
 * lets us ask. `url` is the server's base URL as the host sees it.
 */
export function openviduDriver(): ServiceDriver {
  return { kinds: ["openvidu"], probe }
}

async function probe(service: Service, container: Container): Promise<Health> {
  const docker = containerCheck(container)
  if (docker.state === "failed") return { state: "unhealthy", checks: [docker], details: {} }
  const { config, host, name } = service
  if (config.url === undefined) {
    const check: Check = { name: "http", state: "unknown", detail: `services.${name}.url is not set: nothing to ask` }
    return { state: healthOf([docker, check]), checks: [docker, check], details: {} }
  }
  const seconds = Math.max(1, Math.ceil(config.timeout / 1000))
  const command = script("read", remoteScript("openvidu-probe"), [new URL(config.url).origin, container.id, seconds])
  const result = await host.run(command, { allow: "any", timeout: 2 * config.timeout + 10_000 })
  const answer = result.code === 0 ? parseOpenvidu(result.stdout) : undefined
  const checks = [docker, ...(answer?.checks ?? [refused(result.code, result.stderr)])]
  return { state: healthOf(checks), checks, details: answer?.details ?? {} }
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
