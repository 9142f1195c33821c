import type { ServiceDefinition } from "./stack.ts"

/** A service after those that it needs; otherwise in the order given. Compose itself refuses cycles. */
export function inDependencyOrder(services: readonly ServiceDefinition[]): readonly ServiceDefinition[] {
  const byName = new Map(services.map((service) => [service.name, service]))
  const ordered = new Set<ServiceDefinition>()
  const visiting = new Set<string>()
  const visit = (service: ServiceDefinition) => {
    if (ordered.has(service) || visiting.has(service.name)) return
    visiting.add(service.name)
    for (const name of service.dependsOn) {
      const needed = byName.get(name)
      if (needed) visit(needed)
    }
    ordered.add(service)
  }
  for (const service of services) visit(service)
  return [...ordered]
}

/** Services in groups that may stop at once: each in a later group than all that need it. */
export function stopWaves(services: readonly ServiceDefinition[]): readonly (readonly ServiceDefinition[])[] {
  const waves: ServiceDefinition[][] = []
  const waveOf = new Map<string, number>()
  for (const service of inDependencyOrder(services).toReversed()) {
    const needing = services.filter(({ dependsOn }) => dependsOn.includes(service.name))
    const at = Math.max(0, ...needing.map(({ name }) => 1 + (waveOf.get(name) ?? 0)))
    waveOf.set(service.name, at)
    waves[at] = [...(waves[at] ?? []), service]
  }
  return waves
}
