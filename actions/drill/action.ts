import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import type { DrillRecord } from "../../src/core/drill-record.ts"
import { formatDuration } from "../../src/core/duration.ts"
import { drill } from "../../src/job/drill.ts"
import { drillContract } from "./contract.ts"

export const drillAction = action(drillContract, (inputs, context) =>
  withTools(inputs, context, { ...opened, onRunner: inputs.where === "runner" }, async (tools) => {
    const { source, where, newest: most } = inputs
    const { records, left } = await drill(tools, { backupId: inputs["backup-id"], source, where, newest: most })
    const [newest] = records
    if (!newest) return { outputs: { ...drillContract.negative, ...notRun } }
    const failed = records.filter((one) => one.result === "failed")
    return {
      outputs: {
        status: failed.length > 0 ? "failed" : left === undefined ? "success" : "partial",
        reason: failed.length > 0 ? "drill-failed" : left === undefined ? "done" : "leftovers",
        "drill-status": failed.length > 0 ? "failed" : "success",
        "backup-id": newest.backup,
        source: newest.source,
        "rto-seconds": longest(records),
        "rpo-seconds": newest.rpoSeconds,
        "drill-details": JSON.stringify(records),
      },
      summary: [...records.map(summaryOf), ...(left === undefined ? [] : [`**Not removed**: ${left}\n`])].join("\n"),
      ...(failed.length > 0 ? { failure: failed.map(failureOf).join("\n") } : {}),
    }
  }),
)

const opened = { name: "drill", mutates: true, usesStores: true, apart: true } as const

const notRun = { status: "success", reason: "dry-run", "drill-status": "not-run", source: "none" } as const

/** One that was never usable has no time, and the longest of the others would not be the truth. */
function longest(records: readonly DrillRecord[]): number {
  const seconds = records.flatMap(({ rtoSeconds }) => (rtoSeconds === null ? [] : [rtoSeconds]))
  return seconds.length < records.length ? -1 : Math.max(...seconds)
}

function failureOf({ backup, source, reason }: DrillRecord): string {
  return `The ${source} copy of ${backup} is not proven: ${reason}`
}

function summaryOf(record: DrillRecord): string {
  const { backup, source, where, result, reason, rtoSeconds, rpoSeconds, services } = record
  const rows = services.map((one) => [
    one.service,
    `${one.seconds} s`,
    one.keys > 0 ? `${one.keys} keys` : `${one.tables} tables, ${one.rows} rows`,
    one.checks.map(({ name, state, detail }) => `${name}: ${state}, ${detail}`).join("; "),
  ])
  const usable = rtoSeconds === null ? "never usable" : `usable after ${formatDuration(rtoSeconds * 1000)}`
  const title = `Drill of ${backup} from ${source} on the ${where}: ${result}; ${usable} (RTO), data ${formatDuration(rpoSeconds * 1000)} old (RPO)`
  const why = reason === "" ? [] : [["", "", "", reason]]
  return summaryTable(title, ["Service", "Restored in", "Counted, equal to the manifest", "Checks"], [...rows, ...why])
}
