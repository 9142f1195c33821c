import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { backupNamed, input } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import {
  changeInputs,
  connectionInputs,
  endSessions,
  servicesInput,
  storeInputs,
} from "../../src/action/shared-inputs.ts"
import { rungs } from "../../src/job/recreate-result.ts"

export const recreateContract = {
  name: "recreate",
  description:
    "Replaces infrastructure containers, keeps their volumes, and proves that the data is the same before and after.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    ...changeInputs,
    "end-sessions": endSessions,
    services: servicesInput("Services to recreate; those of the infrastructure profile unless told."),
    "backup-id": input(backupNamed().optional(), {
      description:
        "Backup made by this run (output `backup-id` of `backup`): the proof without which no data service is touched. Not needed on a host without data.",
      placeholder: "ID",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "recreation-status": z.enum(["success", "failed"]).describe("`success` or `failed`."),
    "data-intact": z.boolean().describe("Whether the data's fingerprint is equal before and after."),
    "restore-needed": z.boolean().describe("Whether data has to be restored from the backup."),
    "rolled-back": z.boolean().describe("Whether what was there before was put back."),
    rung: z
      .enum([...rungs, ""])
      .describe(
        "What serves now: `new-containers`, `previous-images`, `previous-data` or `backup`; empty when nothing was changed.",
      ),
  }),
  negative: {
    ...notDone,
    "recreation-status": "failed",
    "data-intact": false,
    "restore-needed": false,
    "rolled-back": false,
    rung: "",
  },
} satisfies Contract
