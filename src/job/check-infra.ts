import { combineHealth, type HealthExitCode, type HealthReport, type InfraStatus } from "../core/combine-health.ts"
import { dataKinds } from "../core/config.ts"
import type { Unfinished } from "../core/decision.ts"
import { messageOf } from "../core/errors.ts"
import type { Check, Health } from "../core/health.ts"
import type { Container, StackDefinition } from "../docker/stack.ts"
import { HostError } from "../host/host.ts"
import { healthOf } from "../service/container.ts"
import type { LastBackup } from "../service/driver.ts"
import { lookConfigured } from "./configured-services.ts"
import { byUse, containerChecks, uptimeOf } from "./container-checks.ts"
import { type DataPresence, dataPresence } from "./data-presence.ts"
import { checkHost, type HostChecks } from "./host-checks.ts"
import { lastBackups } from "./last-backups.ts"
import { type StackService, servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { unfinishedOf } from "./unfinished.ts"

export interface ServiceFinding {
  readonly service: string
  readonly health: Health
  /** Present but not running: a start will probably mend it. */
  readonly fixable: boolean
}

export interface InfraHealth {
  readonly status: InfraStatus
  readonly healthy: boolean
  readonly exitCode: HealthExitCode
  /** The report as JSON: status, services, timestamp. */
  readonly report: HealthReport
  /** Whether any place of a data service holds something, or might. */
  readonly dataPresent: boolean
  /** Whether a server lacks a database that it should have; a check of the service says which. */
  readonly dataMissing: boolean
  /** What an earlier run left when it was cut off. */
  readonly unfinished: Unfinished
  readonly data: readonly DataPresence[]
  readonly findings: readonly ServiceFinding[]
  /** Every check of every service, named `service: check`. */
  readonly checks: readonly Check[]
}

/** The name under which disks are reported beside the services. */
const hostName = "host"

/**
 * Looks at the infrastructure and changes nothing: containers, restarts, networks, deep probes, volumes, disks, and
 * whether there is data. Two rounds of questions to the host, each asked at once. A host or an engine that gives no answer is
 * an error, never "unhealthy".
 */
export async function checkInfra(tools: Tools): Promise<InfraHealth> {
  await lookConfigured(tools)
  const [services, definition, containers, last] = await Promise.all([
    servicesOf(tools, "infrastructure"),
    tools.stack.definition(),
    tools.stack.containers(),
    lastBackups(tools),
  ])
  const current = services.map((one) => ({ ...one, container: copiesOf(containers, one)[0] }))
  const data = current.filter((one) => dataKinds.includes(one.service.kind))
  const [probes, host, presence, unfinished] = await Promise.all([
    Promise.all(current.map((one) => probe(one, last(one.service.name)))),
    checkHost(tools, data),
    dataPresence(tools, data),
    unfinishedOf(tools),
  ])
  const findings = current.map((one, index) =>
    combine(tools, { one, copies: copiesOf(containers, one), probed: probes[index], host, definition }),
  )
  return { ...conclude(tools, [...findings, hostFinding(host)], presence), unfinished }
}

function copiesOf(containers: readonly Container[], { service }: StackService): readonly Container[] {
  return byUse(containers.filter((one) => one.service === service.name))
}

/** Undefined where there is nothing to probe. A probe that gives no answer in time is unknown; a lost host is an error. */
async function probe(
  { driver, service, container, definition }: StackService,
  last: LastBackup | undefined,
): Promise<Health | undefined> {
  if (!container) return undefined
  if (definition.oneShot) return oneShotHealth(container)
  try {
    return await driver.probe(service, container, last)
  } catch (error) {
    if (!(error instanceof HostError && error.fault === "timeout")) throw error
    const check: Check = { name: "probe", state: "unknown", detail: messageOf(error) }
    return { state: "unknown", checks: [check], details: {} }
  }
}

function oneShotHealth({ state, exitCode }: Container): Health {
  const well = state === "exited" && exitCode === 0
  const check: Check = {
    name: "one-shot",
    state: well ? "ok" : "failed",
    detail: `${state} with exit code ${exitCode}`,
  }
  return { state: healthOf([check]), checks: [check], details: {} }
}

interface Gathered {
  readonly one: StackService
  readonly copies: readonly Container[]
  readonly probed: Health | undefined
  readonly host: HostChecks
  readonly definition: StackDefinition
}

function combine(tools: Tools, { one, copies, probed, host, definition }: Gathered): ServiceFinding {
  const service = one.service.name
  const { container } = one
  if (!container && one.definition.replicas === 0) {
    const check: Check = { name: "container", state: "ok", detail: "none, as defined (replicas: 0)" }
    return { service, health: { state: "healthy", checks: [check], details: {} }, fixable: false }
  }
  if (!container || !probed) {
    const check: Check = { name: "container", state: "failed", detail: "there is none" }
    return { service, health: { state: "missing", checks: [check], details: {} }, fixable: false }
  }
  const now = tools.clock.now()
  const more = [
    ...containerChecks(copies, one.definition, definition, { restarts: tools.config.thresholds.restarts, now }),
    ...(host.volumes.get(service) ?? []),
  ]
  const checks = [...probed.checks, ...more]
  return {
    service,
    health: {
      state: worse(probed.state, healthOf(more)),
      checks,
      details: { ...probed.details, ...factsOf(container, now), ...problemsOf(checks) },
    },
    fixable: ["exited", "created", "paused"].includes(container.state),
  }
}

function factsOf(container: Container, now: Date): Health["details"] {
  const uptime = uptimeOf(container, now)
  return {
    container: container.state,
    restarts: container.restarts,
    ...(uptime === undefined ? {} : { "uptime-seconds": Math.round(uptime / 1000) }),
  }
}

function problemsOf(checks: readonly Check[]): Health["details"] {
  const problems = checks.filter((check) => check.state !== "ok").map((check) => `${check.name}: ${check.detail}`)
  return problems.length === 0 ? {} : { problems: problems.join("; ") }
}

const order = ["healthy", "degraded", "unknown", "unhealthy", "missing"] as const

function worse(a: Health["state"], b: Health["state"]): Health["state"] {
  return order.indexOf(a) >= order.indexOf(b) ? a : b
}

function hostFinding({ disks }: HostChecks): ServiceFinding {
  const health: Health = { state: healthOf(disks), checks: disks, details: problemsOf(disks) }
  return { service: hostName, health, fixable: false }
}

/** The check by this name is about all of a server's databases. */
function isMissingData({ name, state }: Check): boolean {
  return name === "databases" && state !== "ok"
}

function conclude(tools: Tools, findings: readonly ServiceFinding[], data: readonly DataPresence[]) {
  // Disks alone do not make an infrastructure: without a service the conclusion must fail (S7).
  const looked = findings.length > 1 ? findings : []
  const { report, exitCode } = combineHealth(looked, tools.clock.now().toISOString())
  for (const one of data) {
    if (one.doubt !== undefined)
      tools.log.warning(`Whether ${one.place} of ${one.service} holds data is not known: ${one.doubt}`)
  }
  return {
    status: report.status,
    healthy: report.status === "healthy",
    exitCode,
    report,
    dataPresent: data.some((one) => one.present),
    dataMissing: findings.some(({ health }) => health.checks.some(isMissingData)),
    data,
    findings,
    checks: findings.flatMap(({ service, health }) =>
      health.checks.map((check) => ({ ...check, name: `${service}: ${check.name}` })),
    ),
  }
}
