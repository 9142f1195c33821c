import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { imagesInput } from "../../src/action/images-input.ts"
import { input } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { changeInputs, connectionInputs, endSessions } from "../../src/action/shared-inputs.ts"
import { releaseIdSchema } from "../../src/core/release.ts"

export const deployAppContract = {
  name: "deploy-app",
  description: "Replaces the app services without downtime, all or nothing, and records the release.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...changeInputs,
    "end-sessions": endSessions,
    images: imagesInput,
    "release-id": input(releaseIdSchema.optional(), {
      description: "Name of the release; made from the time and the commit unless told.",
      placeholder: "ID",
    }),
    commit: input(
      z
        .string()
        .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, "use the full hash of a commit")
        .optional(),
      {
        description: "Commit that the images were built from; the workflow's commit unless told.",
        placeholder: "HASH",
      },
    ),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "deploy-status": z
      .enum(["success", "unchanged", "failed"])
      .describe("`success`, `unchanged` (these images run already) or `failed`."),
    "release-id": z.string().describe("The release that runs now."),
    "previous-release-id": z.string().describe("The one that ran before; empty on a first deployment."),
    images: z.string().describe("`service=repository@digest` of each app service, one a line."),
  }),
  negative: { ...notDone, "deploy-status": "failed", "release-id": "", "previous-release-id": "", images: "" },
} satisfies Contract
