import { stopWaves } from "../docker/service-order.ts"
import type { Container, ServiceDefinition, Stack } from "../docker/stack.ts"
import { type Command, change } from "../shell/command.ts"

/**
 * Stops containers of these services, each within its grace period, those that need others before these: Docker stops all
 * at once that it is given in one call.
 */
export function stopInOrder(
  stack: Pick<Stack, "stop">,
  services: readonly ServiceDefinition[],
  containers: readonly Container[],
): Command {
  return stopWaves(services)
    .map((wave) => containers.filter((one) => wave.some(({ name }) => name === one.service)))
    .filter((some) => some.length > 0)
    .map((some) => stack.stop(some))
    .reduce((before, next) => change`${before} || exit\n${next}`)
}

/** Milliseconds that such a stop may take: every grace period, one after the other, and ten minutes for what is slow besides. */
export function stopTimeout(services: readonly ServiceDefinition[]): number {
  return services.reduce((sum, { stopGracePeriod }) => sum + stopGracePeriod, 600_000)
}
