import { changeOutputs, changeSummary, detect } from "../../src/action/detect.ts"
import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { formatDuration } from "../../src/core/duration.ts"
import { readDeployed } from "../../src/job/deployed.ts"
import { type PipelineResult, pipeline } from "../../src/job/pipeline.ts"
import { pipelineContract } from "./contract.ts"

export const pipelineAction = action(pipelineContract, (inputs, context) =>
  withTools(inputs, context, { name: "pipeline", mutates: true, usesStores: true, installs: true }, async (opened) => {
    const deployed = await readDeployed(opened)
    const changes = await detect({ config: opened.config, base: inputs.base, deployed }, context)
    const changed = changeOutputs(changes)
    const commit = inputs.commit ?? changes.head
    const tools = { ...opened, run: { ...opened.run, sha: commit } }
    const done = await pipeline(tools, {
      changes: {
        infraChanged: changed["infra-changed"],
        appChanged: changed["app-changed"],
        migrationsChanged: changed["migrations-changed"],
      },
      force: inputs.force ?? [],
      restoreId: inputs["backup-id"],
      endSessions: inputs["end-sessions"],
      images: inputs.images,
      releaseId: inputs["release-id"],
      commit,
    })
    const { "base-source": _source, "changed-services": _services, ...told } = changed
    return {
      outputs: {
        status: done.failure ? "failed" : "success",
        reason: done.failure ? "job-failed" : tools.work.dryRun ? "dry-run" : "done",
        rule: done.rule,
        "jobs-run": done.jobs.map(({ job, result }) => `${job}=${result}`).join(" "),
        ...told,
        "backup-id": done.backupId ?? "",
      },
      summary: `${changeSummary(changes)}\n${summaryOf(done)}`,
      ...(done.failure ? { failure: `${done.jobs.at(-1)?.job}: ${done.failure.message}` } : {}),
    }
  }),
)

function summaryOf({ reason, jobs }: PipelineResult): string {
  const rows = jobs.map(({ job, result, duration, note }) => [job, result, formatDuration(duration), note])
  return summaryTable(`Pipeline: ${reason}`, ["Job", "Result", "Time", "What"], rows)
}
