/** `unknown` is a check that could not run: never taken for `healthy`. */
export const healthStates = ["healthy", "degraded", "unhealthy", "missing", "unknown"] as const
export type HealthState = (typeof healthStates)[number]

/** One thing looked at. */
export interface Check {
  /** What was looked at: `connections`, `disk /opt/app`. */
  readonly name: string
  readonly state: "ok" | "warning" | "failed" | "unknown"
  /** One line: the number seen and the limit, or the error. */
  readonly detail: string
}

/** The same look where a failure speaks against nothing that counts. */
export function warned(check: Check): Check {
  return check.state === "failed" ? { ...check, state: "warning" } : check
}

export interface Health {
  readonly state: HealthState
  readonly checks: readonly Check[]
  /** Numbers worth keeping, for the JSON report: `connections`, `database-size-bytes`, `keys`. */
  readonly details: Readonly<Record<string, string | number>>
}
