import { formatDuration } from "../core/duration.ts"
import { failure } from "../core/errors.ts"
import type { Container, ServiceDefinition } from "../docker/stack.ts"
import { hostNow } from "./host-now.ts"
import { masker } from "./mask.ts"
import type { Tools } from "./tools.ts"

export interface WaitOptions {
  /** Looks only at these containers; at all of the services' otherwise. */
  readonly containers?: readonly string[]
  /** Milliseconds; the longest health budget of the services, 5 minutes at least, unless told. */
  readonly budget?: number
}

/** Restarts while it is waited for that make a loop. What came before may have had a reason that is gone. */
const restartLoop = 3

/**
 * Waits until every named service runs and is healthy, as Docker's own health check says (without one: running for two
 * seconds by the host's clock); one that is to have no copies (`replicas: 0`) is. Fails at once, with the container's last log lines, when one exits, turns unhealthy or
 * restarts again and again: waiting longer would not help.
 */
export async function waitHealthy(
  tools: Tools,
  services: readonly ServiceDefinition[],
  options: WaitOptions = {},
): Promise<void> {
  const budget = options.budget ?? Math.max(300_000, ...services.map((one) => one.healthBudget ?? 0))
  const ahead = await hostAhead(tools, services)
  const start = tools.clock.now().getTime()
  const restarts = new Map<string, number>()
  const isLooping = (one: Container) => one.restarts - (restarts.get(one.id) ?? one.restarts) >= restartLoop
  for (;;) {
    const all = await tools.stack.containers()
    const seen = all.filter((one) => options.containers?.includes(one.id) ?? true)
    for (const { id, restarts: before } of seen) if (!restarts.has(id)) restarts.set(id, before)
    const now = tools.clock.now().getTime()
    const waiting = services.filter((one) => !isReady(seen, one, now + ahead))
    if (waiting.length === 0) return
    const lost = seen.find(
      (one) => waiting.some((service) => service.name === one.service) && (hasEnded(one) || isLooping(one)),
    )
    if (lost) throw await unhealthy(tools, lost, `is ${lost.health === "unhealthy" ? "unhealthy" : describe(lost)}`)
    if (now - start > budget) throw await overdue(tools, seen, waiting, budget)
    await tools.clock.sleep(500, tools.signal)
  }
}

/** Milliseconds by which the host's clock, which dates the starts, is ahead of ours; asked where starts count. */
async function hostAhead(tools: Tools, services: readonly ServiceDefinition[]): Promise<number> {
  if (services.every((one) => one.oneShot || one.healthBudget !== undefined)) return 0
  return (await hostNow(tools)).getTime() - tools.clock.now().getTime()
}

function isReady(containers: readonly Container[], service: ServiceDefinition, now: number): boolean {
  const copies = containers.filter((one) => one.service === service.name)
  return (copies.length > 0 || service.replicas === 0) && copies.every((one) => isUp(one, service, now))
}

function isUp(container: Container, service: ServiceDefinition, now: number): boolean {
  if (service.oneShot) return container.state === "exited" && container.exitCode === 0
  if (container.state !== "running") return false
  if (container.health !== undefined) return container.health === "healthy"
  return now - Date.parse(container.startedAt) > 2000
}

function hasEnded(container: Container): boolean {
  return ["exited", "dead"].includes(container.state) || container.health === "unhealthy"
}

function describe(container: Container): string {
  const why = container.oomKilled ? ", out of memory" : ""
  return `${container.state} with exit code ${container.exitCode}${why}, restarted ${container.restarts} times`
}

async function overdue(
  tools: Tools,
  containers: readonly Container[],
  waiting: readonly ServiceDefinition[],
  budget: number,
): Promise<Error> {
  const names = waiting.map((one) => one.name).join(", ")
  const first = containers.find((one) => one.service === waiting[0]?.name)
  if (first) return unhealthy(tools, first, `is not healthy after ${formatDuration(budget)} (waited for: ${names})`)
  return failure("not-healthy", `no container of ${names} after ${formatDuration(budget)}`)
}

async function unhealthy(tools: Tools, container: Container, problem: string): Promise<Error> {
  const [definition, logs] = await Promise.all([tools.stack.definition(), tools.stack.logs(container, 30)])
  await tools.log.group(`Last log lines of ${container.service}`, async () =>
    tools.log.untrusted(masker(definition)(logs)),
  )
  return failure("not-healthy", `service ${container.service} ${problem}`, {
    hint: `Its last log lines are above; on the host: docker logs ${container.name}`,
  })
}
