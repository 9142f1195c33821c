import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import type { Check } from "../../src/core/health.ts"
import { passed, type VerifyResult, verify } from "../../src/job/verify.ts"
import { verifyContract } from "./contract.ts"

export const verifyAction = action(verifyContract, (inputs, context) =>
  withTools(
    inputs,
    context,
    { name: "verify", mutates: false, usesStores: inputs["backup-id"] !== undefined },
    async (tools) => {
      const backupId = inputs["backup-id"]
      const done = await verify(tools, backupId === undefined ? {} : { backupId })
      const bad = Object.values(done.sections)
        .flat()
        .filter((check) => !passed(check))
      const failed = done.status === "failed"
      return {
        outputs: {
          status: failed ? "failed" : "success",
          reason: failed ? "verification-failed" : "done",
          "verification-status": failed ? "failure" : "success",
          "infrastructure-status": statusOf(done.sections.infrastructure),
          "data-status": statusOf(done.sections["data-integrity"]),
          "application-status": statusOf(done.sections["application-readiness"]),
          "performance-status": statusOf(done.sections.performance),
          "verification-details": JSON.stringify(done),
        },
        summary: summaryOf(done),
        ...(failed ? { failure: bad.map((check) => `${check.name}: ${check.detail}`).join("\n") } : {}),
      }
    },
  ),
)

/** The worst of a section's checks; one that could not run is never a success (S11). */
function statusOf(checks: readonly Check[]): "success" | "warning" | "failure" | "unknown" {
  if (checks.some((check) => check.state === "failed")) return "failure"
  if (checks.some((check) => check.state === "unknown")) return "unknown"
  return checks.some((check) => check.state === "warning") ? "warning" : "success"
}

function summaryOf({ status, sections }: VerifyResult): string {
  const rows = Object.entries(sections).flatMap(([section, checks]) =>
    checks.map((check) => [section, check.name, check.state, check.detail]),
  )
  return summaryTable(`Verification: ${status}`, ["Section", "Check", "State", "Detail"], rows)
}
