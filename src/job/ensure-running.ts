import { failure, refusal } from "../core/errors.ts"
import type { Container } from "../docker/stack.ts"
import { containerOf, type StackService, servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/**
 * Starts those of the services whose container is stopped and waits until all of them are healthy; gives the
 * containers as they then are. Refuses to start a service whose data another running container already has mounted
 * (S13), and one whose data directory is empty while its container is not new: it would start with nothing.
 */
export async function ensureRunning(tools: Tools, services: readonly StackService[]): Promise<readonly StackService[]> {
  const stopped = services.filter((one) => containerOf(one).state !== "running")
  for (const one of stopped) await assertSoleServer(tools, one)
  if (stopped.length > 0) {
    tools.log.info(`Starting ${stopped.map((one) => one.service.name).join(", ")}`)
    await tools.work.step("start-services", tools.stack.start(stopped.map(containerOf)))
  }
  await tools.work.check(
    "wait-services",
    () =>
      waitHealthy(
        tools,
        services.map((one) => one.definition),
      ),
    undefined,
  )
  return stopped.length === 0 ? services : refresh(tools, services)
}

/** The same services with the containers as they are now. */
export async function refresh(tools: Tools, services: readonly StackService[]): Promise<readonly StackService[]> {
  return servicesOf(
    tools,
    "infrastructure",
    services.map((one) => one.service.name),
  )
}

/**
 * Throws unless no other running container on the host has the service's data mounted: two servers on one data
 * directory both start and both write (S13).
 */
export async function assertSoleServer(tools: Tools, one: StackService): Promise<void> {
  const mounts = one.container?.mounts.filter((mount) => mount.writable) ?? []
  const sources = mounts.map((mount) => mount.volume ?? mount.source)
  if (sources.length === 0) return
  const others = await tools.stack.mounting(sources)
  const rival = others.find((other) => other.id !== one.container?.id)
  if (rival) throw twoServers(one.service.name, rival)
}

function twoServers(service: string, rival: Pick<Container, "name">): Error {
  return refusal("data-in-use", `the data of ${service} is mounted by the running container ${rival.name}`, {
    hint: `Stop ${rival.name} first: two servers on one data directory destroy it.`,
  })
}

/** Stops on an empty list, which would make every later "all of them" true (S7). */
export function atLeastOne<T>(items: readonly T[], what: string): readonly T[] {
  if (items.length > 0) return items
  throw failure("nothing-found", `no ${what} found`, {
    hint: "Check `compose.profiles` and `services` in infra.yml: data services must be in the infrastructure profile.",
  })
}
