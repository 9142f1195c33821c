import { AppError, messageOf } from "../core/errors.ts"
import { circuitOpen, noteOutcome } from "./debug/circuit.ts"
import { type Diagnosis, diagnose, type Issue, surroundings } from "./debug/diagnose.ts"
import { type Fix, fixesFor } from "./debug/fixes.ts"
import { isOurs } from "./is-ours.ts"
import { servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

export interface DebugOptions {
  /** How often fixes are tried, 1 to 3; 3 unless told. */
  readonly attempts?: number | undefined
}

export interface DebugResult {
  /** `fixed`: the infrastructure is healthy now, as a check after the last fix says. */
  readonly status: "fixed" | "failed"
  /** Names of the fixes tried, in order: `start-postgres`. */
  readonly fixes: readonly string[]
  /** What was found at first, and what is left at the end. */
  readonly found: readonly Issue[]
  readonly left: readonly Issue[]
  /** The report as JSON: timestamp, issues, resource_usage, logs. Secrets are masked. */
  readonly report: Readonly<Record<string, unknown>>
}

/** Milliseconds before each try. */
const pauses = [0, 5_000, 15_000]

/**
 * Names what is wrong with the infrastructure and tries the fixes that cannot lose data, at most three times with growing
 * pauses, checking again after each. Data is never touched. The same trouble that was tried in vain three times within an
 * hour is left alone.
 */
export async function debug(tools: Tools, { attempts = pauses.length }: DebugOptions = {}): Promise<DebugResult> {
  const [first, around] = await Promise.all([diagnose(tools), surroundings(tools)])
  for (const issue of first.issues) {
    tools.log.warning(`${issue.service}: ${issue.cause} (${issue.details}); ${issue.suggestedFix}`)
  }
  const fixes: string[] = []
  const last = first.health.healthy ? first : await mend(tools, first, { attempts, fixes })
  const fixed = last.health.healthy
  if (fixes.length > 0) await noteOutcome(tools, first.issues, fixed)
  return {
    status: fixed ? "fixed" : "failed",
    fixes,
    found: first.issues,
    left: last.issues,
    report: {
      timestamp: tools.clock.now().toISOString(),
      status: fixed ? "fixed" : "failed",
      issues: first.issues.map(toReport),
      left: last.issues.map(toReport),
      fixes_applied: fixes,
      resource_usage: around.host,
      containers: around.containers,
      networks: around.networks,
      ports: around.ports,
      disk: first.health.checks.filter((check) => check.name.startsWith("host: disk")),
      logs: first.logs,
    },
  }
}

async function mend(
  tools: Tools,
  first: Diagnosis,
  { attempts, fixes }: { readonly attempts: number; readonly fixes: string[] },
): Promise<Diagnosis> {
  if (await circuitOpen(tools, first.issues)) {
    tools.log.warning("The same was tried in vain three times within the last hour: it is left alone")
    return first
  }
  let last = first
  for (const pause of pauses.slice(0, attempts)) {
    const services = await servicesOf(tools, "infrastructure")
    const planned = await fixesFor(tools, last.issues, services, last.health)
    if (planned.length === 0) {
      tools.log.info("Nothing that is safe to do by itself would mend this")
      return last
    }
    if (pause > 0 && !tools.work.dryRun) await tools.clock.sleep(pause, tools.signal)
    for (const fix of planned) {
      fixes.push(fix.name)
      await apply(tools, fix)
    }
    last = await tools.work.check("check-again", () => diagnose(tools), last)
    if (last.health.healthy || tools.work.dryRun) return last
  }
  return last
}

/** Does a fix and waits for the service as long as its health check may take. A fix in vain is told, not thrown: the next check judges. */
async function apply(tools: Tools, { name, command, service }: Fix): Promise<void> {
  try {
    await tools.work.step(name, command, { timeout: 300_000 + service.definition.stopGracePeriod })
    const budget = Math.max(60_000, service.definition.healthBudget ?? 0)
    await tools.work.check(
      `wait-${service.service.name}`,
      () => waitHealthy(tools, [service.definition], { budget }),
      undefined,
    )
  } catch (error) {
    if (!isOurs(tools, error) || !(error instanceof AppError)) throw error
    tools.log.warning(`${name} was in vain: ${messageOf(error)}`)
  }
}

function toReport({ service, severity, cause, details, suggestedFix }: Issue) {
  return { service, severity, issue: cause, details, suggested_fix: suggestedFix }
}
