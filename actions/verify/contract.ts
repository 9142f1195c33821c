import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { input } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { connectionInputs, storeInputs } from "../../src/action/shared-inputs.ts"

const section = z.enum(["success", "warning", "failure", "unknown"])

export const verifyContract = {
  name: "verify",
  description: "Proves that the stack works: containers, data integrity, application readiness, performance.",
  mutates: false,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    "backup-id": input(z.string().optional(), {
      description: "Backup whose counts the data is compared with; without it no counts are compared.",
      placeholder: "ID",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "verification-status": z
      .enum(["success", "failure"])
      .describe("`success` or `failure`; a `failure` fails the step."),
    "infrastructure-status": section.describe(
      "Containers, health checks, networks, mounts: `success`, `warning`, `failure` or `unknown`.",
    ),
    "data-status": section.describe("Counts, critical tables, foreign keys, sample queries, keys."),
    "application-status": section.describe("App containers and health URL."),
    "performance-status": section.describe("Response times and use of resources."),
    "verification-details": z.string().describe("Report as JSON."),
  }),
  negative: {
    ...notDone,
    "verification-status": "failure",
    "infrastructure-status": "unknown",
    "data-status": "unknown",
    "application-status": "unknown",
    "performance-status": "unknown",
    "verification-details": "{}",
  },
} satisfies Contract
