import { releaseId } from "../core/release.ts"
import { recordRelease } from "./release-history.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * Writes down which commit's infrastructure now runs, with the images: the base of the next run's change detection.
 * `bad` is recorded too, and never taken for a base.
 */
export async function recordInfrastructure(
  tools: Tools,
  services: readonly StackService[],
  status: "good" | "bad",
): Promise<void> {
  const now = tools.clock.now()
  const containers = await tools.stack.containers()
  await recordRelease(tools, {
    format: 1,
    id: `infra-${releaseId(now, tools.run.sha)}`,
    kind: "recreate",
    time: now.toISOString(),
    commit: tools.run.sha,
    images: services.flatMap(({ service }) =>
      containers
        .filter((one) => one.service === service.name)
        .map((one) => ({ service: service.name, reference: one.image, imageId: one.imageId })),
    ),
    run: { id: tools.run.id, url: tools.run.url, actor: tools.run.actor },
    status,
  })
}
