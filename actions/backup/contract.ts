import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { changeInputs, connectionInputs, servicesInput, storeInputs } from "../../src/action/shared-inputs.ts"

export const backupContract = {
  name: "backup",
  description: "Dumps every data service, proves the dump, stores it on the host and in S3, and applies retention.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    ...changeInputs,
    services: servicesInput("Data services to back up; every one unless told."),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "backup-id": z
      .string()
      .describe("Id of the proven backup, `backup-YYYYMMDD-HHMMSS`; empty without one, and in a dry run."),
    "backup-location": z.string().describe("Its manifest's path on the host, or its address in S3."),
    "backup-size": z.int().min(0).describe("Bytes of all its files."),
    "storage-local": z
      .enum(["success", "failed", "not-run"])
      .describe("`success` or `failed`; `not-run` in a dry run."),
    "storage-s3": z
      .enum(["success", "failed", "off", "not-run"])
      .describe("`success`, `failed` or `off`; `not-run` in a dry run."),
  }),
  negative: {
    ...notDone,
    "backup-id": "",
    "backup-location": "",
    "backup-size": 0,
    "storage-local": "failed",
    "storage-s3": "failed",
  },
} satisfies Contract
