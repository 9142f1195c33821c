import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { deployApp } from "../../src/job/deploy-app.ts"
import { deployAppContract } from "./contract.ts"

export const deployAppAction = action(deployAppContract, (inputs, context) =>
  withTools(inputs, context, { name: "deploy-app", mutates: true }, async (tools) => {
    const done = await deployApp(tools, {
      images: inputs.images,
      releaseId: inputs["release-id"],
      commit: inputs.commit,
      endSessions: inputs["end-sessions"],
    })
    for (const service of done.interrupted) tools.log.warning(`${service} was replaced with an interruption`)
    const rows = done.images.map(({ service, reference, digest, imageId }) => [service, reference, digest ?? imageId])
    return {
      outputs: {
        status: "success",
        reason: tools.work.dryRun ? "dry-run" : done.status === "unchanged" ? "unchanged" : "done",
        "deploy-status": done.status,
        "release-id": done.releaseId,
        "previous-release-id": done.previousReleaseId,
        images: done.images.map(({ service, digest, imageId }) => `${service}=${digest ?? imageId}`).join("\n"),
      },
      summary: summaryTable(`Release ${done.releaseId}: ${done.status}`, ["Service", "Image", "Runs"], rows),
    }
  }),
)
