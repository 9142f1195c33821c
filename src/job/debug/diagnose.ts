import type { Container, ContainerStats } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script } from "../../shell/command.ts"
import { checkInfra, type InfraHealth, type ServiceFinding } from "../check-infra.ts"
import { byUse } from "../container-checks.ts"
import { masker } from "../mask.ts"
import type { Tools } from "../tools.ts"
import { type Cause, nameCause } from "./causes.ts"

export interface Issue {
  readonly service: string
  readonly severity: "critical" | "warning"
  readonly cause: Cause
  /** One line, secrets masked. */
  readonly details: string
  readonly suggestedFix: string
}

export interface Diagnosis {
  readonly health: InfraHealth
  readonly issues: readonly Issue[]
  /** Last log lines of the services with issues, secrets masked. */
  readonly logs: Readonly<Record<string, readonly string[]>>
}

export interface Surroundings {
  readonly host: Readonly<Record<string, string>>
  readonly networks: readonly string[]
  readonly ports: readonly string[]
  readonly containers: readonly ContainerStats[]
}

const lines = 100
const longest = 500

/** Finds out what is wrong with the infrastructure, service by service. Changes nothing. */
export async function diagnose(tools: Tools): Promise<Diagnosis> {
  const [health, definition, containers] = await Promise.all([
    checkInfra(tools),
    tools.stack.definition(),
    tools.stack.containers(),
  ])
  const mask = masker(definition)
  const sick = health.findings.filter((one) => one.health.state !== "healthy")
  const looked = await Promise.all(
    sick.map(async (finding) => {
      const container = byUse(containers.filter((one) => one.service === finding.service))[0]
      const log = container ? mask(await tools.stack.logs(container, lines)) : ""
      return { issue: toIssue(tools, finding, { container, log, mask }), log }
    }),
  )
  return {
    health,
    issues: looked.map(({ issue }) => issue),
    logs: Object.fromEntries(
      looked.flatMap(({ issue, log }) => (log.trim() === "" ? [] : [[issue.service, shorten(log)]])),
    ),
  }
}

/** What surrounds the stack on its host, for the report: engine, load, memory, networks, ports, use of each container. */
export async function surroundings(tools: Tools): Promise<Surroundings> {
  const [{ stdout }, containers] = await Promise.all([
    tools.host.run(script("read", remoteScript("diagnostics")), { timeout: 120_000 }),
    tools.stack.stats(),
  ])
  const facts = stdout
    .split("\n")
    .filter((line) => line.includes("\t"))
    .map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)] as const)
  const all = (name: string) => facts.flatMap(([key, value]) => (key === name ? [value] : []))
  return {
    host: Object.fromEntries(facts.filter(([key]) => key !== "network" && key !== "ports")),
    networks: all("network"),
    ports: all("ports"),
    containers,
  }
}

function toIssue(
  tools: Tools,
  { service, health }: ServiceFinding,
  seen: { readonly container: Container | undefined; readonly log: string; readonly mask: (text: string) => string },
): Issue {
  const checks = health.checks.filter((check) => check.state !== "ok")
  const host = service === "host"
  const { cause, details } = host
    ? {
        cause: health.state === "unknown" ? ("unknown" as const) : ("disk-full" as const),
        details: checks.map((check) => `${check.name}: ${check.detail}`).join("; "),
      }
    : nameCause({ ...seen, checks, restartLimit: tools.config.thresholds.restarts })
  return {
    service,
    severity: health.state === "degraded" ? "warning" : "critical",
    cause,
    details: seen.mask(details).replaceAll(/\s+/g, " ").slice(0, longest),
    suggestedFix: suggestions[cause],
  }
}

function shorten(log: string): readonly string[] {
  return log
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(0, longest))
}

const suggestions: Readonly<Record<Cause, string>> = {
  missing: "create the container on the data that is there",
  stopped: "start the container",
  paused: "unpause the container",
  "restart-loop": "stop it, wait, start it again; then look at its log",
  "out-of-memory": "give the container or the host more memory",
  "disk-full": "free space: old backups by their retention, unused images, logs",
  "network-missing": "make the network again and reconnect the container",
  "port-conflict": "stop what holds the port, or publish another one",
  "bad-mount": "correct the path, its owner or its mode",
  "image-missing": "pull or push the image",
  "data-unreadable": "restore a backup, after a copy of the data directory as it is",
  unhealthy: "restart the container",
  unknown: "look at the log on the host",
}
