import { failure } from "./errors.ts"
import type { Health, HealthState } from "./health.ts"

export const infraStatuses = ["healthy", "unhealthy", "missing"] as const
export type InfraStatus = (typeof infraStatuses)[number]

/** 0 all healthy, 1 minor (works, or a start will do), 2 critical (needs recreation), 3 missing containers. */
export type HealthExitCode = 0 | 1 | 2 | 3

export interface ServiceHealth {
  readonly service: string
  readonly health: Health
  /** An unhealthy service that a start or restart will probably mend: it is there, its data is there. */
  readonly fixable?: boolean
}

export interface HealthReport {
  readonly status: InfraStatus
  readonly services: Readonly<Record<string, { readonly status: HealthState; readonly details: Health["details"] }>>
  readonly timestamp: string
}

/**
 * The stack's status from its services', the worst first: missing, unhealthy, healthy. A service whose state is unknown
 * makes the stack unhealthy and critical; one that is degraded works, so the stack stays healthy (a warning must never
 * lead to a recreation) but the exit code is 1. Throws `failed` `health-empty` without a service: nothing looked at is not healthy.
 */
export function combineHealth(
  services: readonly ServiceHealth[],
  timestamp: string,
): { readonly report: HealthReport; readonly exitCode: HealthExitCode } {
  if (services.length === 0) {
    throw failure("health-empty", "no infrastructure service was looked at", {
      hint: "Give the data services the profile named by compose.profiles.infrastructure.",
    })
  }
  const exitCode = Math.max(...services.map(severity)) as HealthExitCode
  const broken = services.some(({ health: { state } }) => state === "unhealthy" || state === "unknown")
  const status = exitCode === 3 ? "missing" : broken ? "unhealthy" : "healthy"
  const entries = services.map(
    ({ service, health }) => [service, { status: health.state, details: health.details }] as const,
  )
  return { report: { status, services: Object.fromEntries(entries), timestamp }, exitCode }
}

function severity({ health, fixable }: ServiceHealth): HealthExitCode {
  switch (health.state) {
    case "healthy":
      return 0
    case "degraded":
      return 1
    case "unhealthy":
      return fixable ? 1 : 2
    case "unknown":
      return 2
    case "missing":
      return 3
  }
}
