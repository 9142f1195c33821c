import type { Check, Health, HealthState } from "../core/health.ts"
import type { Container } from "../docker/stack.ts"
import type { ServiceDriver } from "./driver.ts"

/** Services of which nothing but their container is known: Docker's state and health check are all there is to ask. */
export function containerDriver(): ServiceDriver {
  return {
    kinds: ["container"],
    probe: async (_service, container) => containerHealth(container),
  }
}

/**
 * What Docker says of a container. Without a health check a running container is healthy only as far as Docker can
 * know, and the check says so. A health check that has not ended its start period yet is `degraded`.
 */
export function containerHealth(container: Container): Health {
  const check = containerCheck(container)
  return { state: healthOf([check]), checks: [check], details: { container: container.state } }
}

export function containerCheck(container: Container): Check {
  const name = "container"
  if (container.state !== "running") {
    const why = container.oomKilled ? ", killed for want of memory" : ""
    return { name, state: "failed", detail: `${container.state} with exit code ${container.exitCode}${why}` }
  }
  if (container.health === undefined) return { name, state: "ok", detail: "running, no health check" }
  if (container.health === "healthy") return { name, state: "ok", detail: "running, healthy" }
  return {
    name,
    state: container.health === "starting" ? "warning" : "failed",
    detail: `running, ${container.health}`,
  }
}

/** A service's state from its checks: the worst counts, and one that could not run is never taken for a good one (S11). */
export function healthOf(checks: readonly Check[]): HealthState {
  if (checks.some((check) => check.state === "failed")) return "unhealthy"
  if (checks.length === 0 || checks.some((check) => check.state === "unknown")) return "unknown"
  return checks.some((check) => check.state === "warning") ? "degraded" : "healthy"
}
