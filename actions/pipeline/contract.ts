import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { imagesInput } from "../../src/action/images-input.ts"
import { backupNamed, input, words } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { backupKey, changeInputs, connectionInputs, endSessions, storeInputs } from "../../src/action/shared-inputs.ts"
import { forcibleJobs, type Rule, rules } from "../../src/core/decision.ts"
import { deployAppContract } from "../deploy-app/contract.ts"
import { detectChangesContract } from "../detect-changes/contract.ts"

const ruleNames = Object.keys(rules) as [Rule, ...Rule[]]

export const pipelineContract = {
  name: "pipeline",
  description: "Runs the whole decision matrix in one job, over one connection and under one lock.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    ...changeInputs,
    "backup-key": backupKey,
    "end-sessions": endSessions,
    base: detectChangesContract.inputs.shape.base,
    images: imagesInput,
    "release-id": deployAppContract.inputs.shape["release-id"],
    commit: deployAppContract.inputs.shape.commit,
    "backup-id": input(backupNamed("latest").optional(), {
      description: "What a forced `restore` brings back: an id, or `latest` for the newest one before this run.",
      placeholder: "ID",
    }),
    force: input(words.pipe(z.array(z.enum(forcibleJobs))).optional(), {
      description: `Jobs to run whatever the facts are, separated by spaces or commas: ${forcibleJobs.map((job) => `\`${job}\``).join(", ")}.`,
      placeholder: "JOBS",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    rule: z
      .enum([...ruleNames, "none"])
      .describe("Row of the decision matrix that held; `none` when it did not come so far."),
    "jobs-run": z.string().describe("Jobs that ran, in order, as `job=result`, separated by spaces."),
    "infra-changed": z.boolean().describe("Whether the infrastructure's files differ from what is deployed."),
    "app-changed": z.boolean().describe("Whether the application's files differ."),
    "migrations-changed": z.boolean().describe("Whether migrations differ."),
    base: z.string().describe("Commit compared with; empty when everything counts as changed."),
    "backup-id": z.string().describe("Backup made by this run; empty without one, and in a dry run."),
  }),
  goesWith: {
    "backup-id": [{ force: "restore" }],
  },
  negative: {
    ...notDone,
    rule: "none",
    "jobs-run": "",
    "infra-changed": true,
    "app-changed": true,
    "migrations-changed": true,
    base: "",
    "backup-id": "",
  },
} satisfies Contract
