import { releaseId } from "../core/release.ts"
import { readDeployed } from "./deployed.ts"
import { recordRelease } from "./release-history.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * Writes down which commit's infrastructure now runs, with the images: the base of the next run's change detection. A
 * commit is named only when all of it is that commit's; otherwise all of it counts as changed. `mixed`: the caller
 * knows that it is not.
 */
export async function recordInfrastructure(
  tools: Tools,
  services: readonly StackService[],
  { mixed = false }: { readonly mixed?: boolean } = {},
): Promise<void> {
  const now = tools.clock.now()
  const containers = await tools.stack.containers()
  await recordRelease(tools, {
    format: 1,
    id: `infra-${releaseId(now, tools.run.sha)}`,
    kind: "recreate",
    time: now.toISOString(),
    commit: mixed ? "" : await commitOf(tools, services),
    images: services.flatMap(({ service }) =>
      containers
        .filter((one) => one.service === service.name)
        .map((one) => ({ service: service.name, reference: one.image, imageId: one.imageId })),
    ),
    run: { id: tools.run.id, url: tools.run.url, actor: tools.run.actor },
    status: "good",
  })
}

/** Some services of this commit and the others of another one are no commit's. */
async function commitOf(tools: Tools, services: readonly StackService[]): Promise<string> {
  const { sha } = tools.run
  const all = await tools.stack.servicesOf("infrastructure")
  if (all.every(({ name }) => services.some(({ service }) => service.name === name))) return sha
  const { infra } = await readDeployed(tools)
  return infra === sha ? sha : ""
}
