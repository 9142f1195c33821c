import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { inputError } from "../../src/core/errors.ts"
import type { Check } from "../../src/core/health.ts"
import { sections as allSections, passed, type Section, type VerifyResult, verify } from "../../src/job/verify.ts"
import { verifyContract } from "./contract.ts"

export const verifyAction = action(verifyContract, (inputs, context) =>
  withTools(
    inputs,
    context,
    {
      name: "verify",
      mutates: false,
      usesStores: inputs["backup-id"] !== undefined || inputs["backup-max-age"] !== undefined,
    },
    async (tools) => {
      const { "backup-id": backupId, "backup-max-age": backupMaxAge, sections = allSections } = inputs
      if (inputs.sections?.includes("backups") && backupMaxAge === undefined) throw noLimit()
      const done = await verify(tools, {
        sections,
        ...(backupId === undefined ? {} : { backupId }),
        ...(backupMaxAge === undefined ? {} : { backupMaxAge }),
      })
      const statusFor = (section: Section) =>
        sections.includes(section) ? statusOf(done.sections[section]) : "skipped"
      const bad = Object.values(done.sections)
        .flat()
        .filter((check) => !passed(check))
      const failed = done.status === "failed"
      return {
        outputs: {
          status: failed ? "failed" : "success",
          reason: failed ? "verification-failed" : "done",
          "verification-status": failed ? "failure" : "success",
          "infrastructure-status": statusFor("infrastructure"),
          "data-status": statusFor("data-integrity"),
          "application-status": statusFor("application-readiness"),
          "performance-status": statusFor("performance"),
          "backup-status": backupMaxAge === undefined ? "skipped" : statusFor("backups"),
          "verification-details": JSON.stringify(done),
        },
        summary: summaryOf(done),
        ...(failed ? { failure: bad.map((check) => `${check.name}: ${check.detail}`).join("\n") } : {}),
      }
    },
  ),
)

function noLimit(): Error {
  return inputError("missing-input", "backup-max-age is missing, and the section backups is asked for", {
    hint: "Give the longest age that a backup may have, such as backup-max-age: 26h.",
  })
}

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
