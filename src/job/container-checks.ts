import { formatDuration } from "../core/duration.ts"
import type { Check } from "../core/health.ts"
import type { Container, ServiceDefinition, StackDefinition } from "../docker/stack.ts"

/** A container that came up so recently may still be in a restart loop that its restart count tells of. */
const settled = 3_600_000

export interface ContainerLimits {
  readonly restarts: number
  readonly now: Date
}

/** What `docker inspect` tells about a service beside its state: restarts, uptime, copies, networks. */
export function containerChecks(
  copies: readonly Container[],
  service: ServiceDefinition,
  definition: StackDefinition,
  limits: ContainerLimits,
): readonly Check[] {
  const container = copies[0]
  if (!container) return []
  return [
    restartCheck(container, limits),
    ...networkChecks(container, service, definition),
    ...(copies.length > service.replicas ? [copiesCheck(copies, service)] : []),
  ]
}

/**
 * Running copies first, those that were never started last, then by number: what stands for the service when an interrupted
 * change left several.
 */
export function byUse(containers: readonly Container[]): readonly Container[] {
  const rank = ({ state }: Container) => (state === "running" ? 0 : state === "created" ? 2 : 1)
  return containers.toSorted((a, b) => rank(a) - rank(b) || a.number - b.number)
}

function restartCheck(container: Container, { restarts, now }: ContainerLimits): Check {
  const uptime = uptimeOf(container, now)
  const detail = `restarted ${container.restarts} times${uptime === undefined ? "" : `, up ${formatDuration(uptime)}`}`
  if (container.state === "restarting") return { name: "restarts", state: "failed", detail }
  const shaky = container.restarts > restarts && (uptime ?? 0) < settled
  return { name: "restarts", state: shaky ? "warning" : "ok", detail }
}

/** Milliseconds since the container started; undefined when it does not run. */
export function uptimeOf(container: Container, now: Date): number | undefined {
  if (container.state !== "running" || container.startedAt === "") return undefined
  return Math.max(0, now.getTime() - Date.parse(container.startedAt))
}

/** A running container must be in every network that its service joins: cut off from one, it looks healthy to itself. */
function networkChecks(
  container: Container,
  service: ServiceDefinition,
  { networks }: StackDefinition,
): readonly Check[] {
  if (container.state !== "running") return []
  const joined = new Set(container.networks.map((one) => one.name))
  return service.networks.flatMap((key): Check[] => {
    const name = networks.find((one) => one.key === key)?.name ?? key
    return joined.has(name) ? [] : [{ name: `network ${name}`, state: "failed", detail: "the container is not in it" }]
  })
}

function copiesCheck(copies: readonly Container[], { replicas }: ServiceDefinition): Check {
  const detail = `${copies.length} containers instead of ${replicas}: ${copies.map((one) => `${one.name} (${one.state})`).join(", ")}`
  return { name: "copies", state: "warning", detail }
}
