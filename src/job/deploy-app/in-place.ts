import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import type { Tools } from "../tools.ts"
import { waitHealthy } from "../wait-healthy.ts"
import { copiesOf, waitForCopies } from "./copies.ts"
import { type PinnedImages, references } from "./pinned-images.ts"

/** Why two copies of a service cannot run side by side; undefined when they can. */
export function whyAlone(service: ServiceDefinition): string | undefined {
  if (service.hasContainerName) return "it has a container_name"
  const [port] = service.publishedPorts
  if (port) return `it publishes port ${port.published}`
  return service.networks.length === 0 ? "it is in the host's network" : undefined
}

/** Replaces a service of which two copies cannot run side by side: it is away from its stop until it is healthy again. */
export async function replaceInPlace(tools: Tools, service: ServiceDefinition, images: PinnedImages): Promise<void> {
  const { name } = service
  tools.log.warning(`${name} is replaced with an interruption: two copies of it cannot run side by side`)
  const up = tools.stack.up([name], {
    noDependencies: true,
    forceRecreate: true,
    pull: "never",
    images: references(images, [name]),
  })
  await tools.work.step(`replace-${name}`, up, { timeout: 300_000 + service.stopGracePeriod })
  const copies = await tools.work.check(`find-${name}`, () => copiesOf(tools, [service]), undefined)
  if (copies) await waitForCopies(tools, [service], { images, copies, step: `wait-${name}` })
}

/** By service the image id that it runs; null for one without a container. */
export function imagesInPlace(
  services: readonly ServiceDefinition[],
  containers: readonly Container[],
): Readonly<Record<string, string | null>> {
  const imageOf = (name: string) => containers.find((one) => one.service === name)?.imageId ?? null
  return Object.fromEntries(services.map(({ name }) => [name, imageOf(name)]))
}

/** Puts back the images, by service, that these services ran before; one that did not exist before is removed. */
export async function putBackInPlace(
  tools: Tools,
  services: readonly ServiceDefinition[],
  before: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const service of services.toReversed()) {
    const { name } = service
    const previous = before[name]
    if (!previous) {
      const copies = await copiesOf(tools, [service])
      if (copies.length === 0) continue
      await tools.work.step(`stop-${name}`, tools.stack.stop(copies))
      await tools.work.step(`remove-${name}`, tools.stack.remove(copies))
      continue
    }
    const up = tools.stack.up([name], {
      noDependencies: true,
      forceRecreate: true,
      pull: "never",
      images: { [name]: previous },
    })
    await tools.work.step(`put-back-${name}`, up, { timeout: 300_000 + service.stopGracePeriod })
    await tools.work.check(`wait-back-${name}`, () => waitHealthy(tools, [service]), undefined)
  }
}
