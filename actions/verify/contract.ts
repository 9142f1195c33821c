import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { backupNamed, input, time, words } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { connectionInputs, storeInputs } from "../../src/action/shared-inputs.ts"
import { sections } from "../../src/job/verify.ts"

const section = z.enum(["success", "warning", "failure", "unknown", "skipped"])

export const verifyContract = {
  name: "verify",
  description: "Proves that the stack works: containers, data integrity, application readiness, performance.",
  mutates: false,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    "backup-id": input(backupNamed("latest").optional(), {
      description: "Backup whose counts the data is compared with; without it no counts are compared.",
      placeholder: "ID",
    }),
    "backup-max-age": input(time.optional(), {
      description:
        "Longest age of the newest proven backup in each store, such as `26h`; older fails. Without it their age is not looked at.",
      placeholder: "DURATION",
    }),
    sections: input(
      words
        .pipe(z.array(z.enum(sections, `use ${sections.join(", ")}`)).min(1, "name at least one section"))
        .optional(),
      {
        description: `Sections to look at: ${sections.map((one) => `\`${one}\``).join(", ")}; all unless told.`,
        placeholder: "NAMES",
      },
    ),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "verification-status": z
      .enum(["success", "failure"])
      .describe("`success` or `failure`; a `failure` fails the step."),
    "infrastructure-status": section.describe(
      "Containers, health checks, networks, mounts: `success`, `warning`, `failure` or `unknown`; `skipped` when not looked at.",
    ),
    "data-status": section.describe("Counts, critical tables, foreign keys, sample queries, keys."),
    "application-status": section.describe("App containers and health URL."),
    "performance-status": section.describe("Response times and use of resources."),
    "backup-status": section.describe("Age of the newest proven backups, with `backup-max-age`."),
    "verification-details": z.string().describe("Report as JSON."),
  }),
  goesWith: {
    "backup-id": [{ sections: false }, { sections: "data-integrity" }],
    "backup-max-age": [{ sections: false }, { sections: "backups" }],
  },
  negative: {
    ...notDone,
    "verification-status": "failure",
    "infrastructure-status": "unknown",
    "data-status": "unknown",
    "application-status": "unknown",
    "performance-status": "unknown",
    "backup-status": "unknown",
    "verification-details": "{}",
  },
} satisfies Contract
