import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { type DebugResult, debug } from "../../src/job/debug.ts"
import { debugContract } from "./contract.ts"

export const debugAction = action(debugContract, (inputs, context) =>
  withTools(inputs, context, { name: "debug", mutates: true }, async (tools) => {
    const done = await debug(tools, { attempts: inputs.attempts })
    // Logs of containers are for a person: as an output they would fill what a job may hand on.
    const { logs, ...report } = done.report
    if (done.status === "failed")
      await context.log.group("Logs", async () => context.log.untrusted(JSON.stringify(logs, undefined, 2)))
    const fixed = done.status === "fixed"
    const { dryRun } = tools.work
    return {
      outputs: {
        status: fixed || dryRun ? "success" : "partial",
        reason: dryRun ? "dry-run" : fixed ? "done" : "not-fixed",
        "debug-status": done.status,
        "debug-details": JSON.stringify(report),
        "fixes-applied": done.fixes.join(" "),
      },
      summary: summaryOf(done, dryRun),
      exitCode: fixed || dryRun ? 0 : 2,
    }
  }),
)

function summaryOf({ status, found, left, fixes }: DebugResult, dryRun: boolean): string {
  const rows = found.map((issue) => [
    issue.service,
    issue.cause,
    issue.details,
    left.some((one) => one.service === issue.service && one.cause === issue.cause) ? "left" : "gone",
  ])
  const verb = dryRun ? "Would try" : "Tried"
  const tried = fixes.length > 0 ? `${verb}: ${fixes.join(", ")}.\n` : "Nothing was tried.\n"
  return `${summaryTable(`Debug: ${dryRun ? "dry run" : status}`, ["Service", "Cause", "Detail", "Now"], rows)}\n${tried}`
}
