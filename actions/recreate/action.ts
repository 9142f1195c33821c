import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { restoreNeeded } from "../../src/core/decision.ts"
import { recreate } from "../../src/job/recreate.ts"
import { describePlan } from "../../src/job/recreate-plan.ts"
import { describeRung, type RecreateResult } from "../../src/job/recreate-result.ts"
import { recreateContract } from "./contract.ts"

export const recreateAction = action(recreateContract, (inputs, context) =>
  withTools(inputs, context, { name: "recreate", mutates: true, usesStores: true, installs: true }, async (tools) => {
    const backupId = inputs["backup-id"]
    const done = await recreate(tools, {
      endSessions: inputs["end-sessions"],
      ...(inputs.services ? { services: inputs.services } : {}),
      ...(backupId === undefined ? {} : { backupId }),
    })
    const dataIntact = done.differences.length === 0
    const rolledBack = done.status === "rolled-back"
    return {
      outputs: {
        status: rolledBack ? "failed" : "success",
        reason: rolledBack ? "rolled-back" : tools.work.dryRun ? "dry-run" : "done",
        "recreation-status": rolledBack ? "failed" : "success",
        "data-intact": dataIntact,
        "restore-needed": restoreNeeded(tools.config.restore.policy, {
          // Whatever is proven to serve after a way back is not to be restored over.
          dataIntact: dataIntact || rolledBack,
          backupMade: backupId !== undefined && !rolledBack,
        }),
        "rolled-back": rolledBack,
        rung: done.rung,
      },
      summary: summaryOf(done),
      ...(rolledBack ? { failure: `${done.cause}; ${describeRung(done.rung)}` } : {}),
    }
  }),
)

function summaryOf({ status, rung, differences, cause, advice, kept, plan }: RecreateResult): string {
  const rows = differences.map(({ service, fact, before, after }) => [service, fact, before, after])
  return [
    `### Recreate: ${status}\n`,
    ...describePlan(plan).map((line) => `- ${line}`),
    "",
    cause === undefined ? "" : `The new containers did not serve: ${cause}. Now ${describeRung(rung)}.\n`,
    ...[...kept, ...advice].map((line) => `- ${line}`),
    "",
    rows.length === 0
      ? "The data is the same before and after.\n"
      : summaryTable("The data differs", ["Service", "Fact", "Before", "After"], rows),
  ].join("\n")
}
