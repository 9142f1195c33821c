import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { input } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { connectionInputs } from "../../src/action/shared-inputs.ts"
import { baseSources } from "../../src/job/detect-changes.ts"

export const detectChangesContract = {
  name: "detect-changes",
  description: "Finds what differs between this commit and the one last deployed to the environment.",
  mutates: false,
  inputs: z.strictObject({
    ...connectionInputs,
    base: input(
      z
        .string()
        .regex(/^[A-Za-z0-9][\w.@/^~-]*$/, "use a commit's hash, a branch or a tag")
        .optional(),
      {
        description: "Commit or ref to compare with, instead of the one found on the host or in the event.",
        placeholder: "COMMIT",
      },
    ),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "infra-changed": z.boolean().describe("Whether a file of `paths.infra` differs."),
    "app-changed": z.boolean().describe("Whether a file of `paths.app` differs."),
    "migrations-changed": z.boolean().describe("Whether a file of `paths.migrations` differs."),
    base: z.string().describe("Full hash of the commit compared with; empty when everything counts as changed."),
    "base-source": z
      .enum(baseSources)
      .describe("Where the base comes from: `input`, `deployed` (the host), `event`, `none`."),
    "changed-services": z
      .string()
      .describe(
        "Services whose definition or build files differ, separated by spaces; `all` when that cannot be told.",
      ),
  }),
  negative: {
    ...notDone,
    "infra-changed": true,
    "app-changed": true,
    "migrations-changed": true,
    base: "",
    "base-source": "none",
    "changed-services": "all",
  },
} satisfies Contract
