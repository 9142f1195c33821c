import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { checkInfra, type InfraHealth } from "../../src/job/check-infra.ts"
import { checkInfraContract } from "./contract.ts"

/** An unhealthy stack is an answer, not a failed step: what follows from it is decided by the jobs after it. */
export const checkInfraAction = action(checkInfraContract, (inputs, context) =>
  withTools(inputs, context, { name: "check-infra", mutates: false }, async (tools) => {
    const seen = await checkInfra(tools)
    if (seen.unfinished !== "no") tools.log.warning(unfinishedTexts[seen.unfinished])
    for (const { name, state, detail } of seen.checks) if (state !== "ok") tools.log.warning(`${name}: ${detail}`)
    return {
      outputs: {
        status: "success",
        reason: "done",
        "infra-healthy": seen.healthy,
        "infra-status": seen.status,
        "infra-details": JSON.stringify(seen.report),
        "data-present": seen.dataPresent,
        unfinished: seen.unfinished,
        "exit-code": seen.exitCode,
      },
      summary: summaryOf(seen),
      exitCode: seen.exitCode,
    }
  }),
)

const unfinishedTexts = {
  run: "an earlier run was cut off: the next one that changes anything finishes it",
  restore: "the app stays stopped until its data is restored",
}

function summaryOf({ status, checks, dataPresent, dataMissing, unfinished }: InfraHealth): string {
  const rows = checks.map(({ name, state, detail }) => [name, state, detail])
  const left = unfinished === "no" ? "" : `, ${unfinishedTexts[unfinished]}`
  const data = dataPresent ? (dataMissing ? "data present, but not all that is known" : "data present") : "no data"
  const title = `Infrastructure: ${status}, ${data}${left}`
  return summaryTable(title, ["Check", "State", "Detail"], rows)
}
