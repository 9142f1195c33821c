import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { backupNamed, input, time, wholeNumber } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { backupKey, changeInputs, connectionInputs, storeInputs } from "../../src/action/shared-inputs.ts"

export const drillContract = {
  name: "drill",
  description:
    "Proves a backup by restoring it into throw-away containers without network, and measures how long that takes.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    "backup-key": backupKey,
    "dry-run": changeInputs["dry-run"],
    "lock-wait": input(time.optional(), {
      description: "How long to wait for another drill, such as `10m`; `lock.wait` of the configuration unless told.",
      placeholder: "DURATION",
    }),
    "backup-id": input(backupNamed("latest", "each").default("latest"), {
      description: "Backup to drill: an id, `latest`, or `each` for every backup of the source, one after the other.",
      placeholder: "ID",
    }),
    newest: input(wholeNumber.refine((count) => count > 0, "use 1 or more").optional(), {
      description: "With `backup-id: each`: only so many of the newest backups; all of them unless told.",
      placeholder: "NUMBER",
    }),
    where: input(z.enum(["host", "runner"]).default("host"), {
      description:
        "Whose Docker runs the throw-away containers: `host`, beside the live services, or `runner`, the machine that runs this action; the backup's files, and images that it lacks, are then sent there.",
      placeholder: "MACHINE",
    }),
    source: input(z.enum(["local", "s3"]).default("local"), {
      description: "Whose copy is restored: `local` or `s3`. The other one never stands in for it.",
      placeholder: "WHERE",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "drill-status": z
      .enum(["success", "failed", "not-run"])
      .describe(
        "`success`, `failed` when a copy is not what was backed up (fails the step), or `not-run` after a dry run or when something kept it from being tried (fails the step).",
      ),
    "backup-id": z.string().describe("Id of the newest backup that was drilled."),
    source: z.enum(["local", "s3", "none"]).describe("Whose copy was restored; `none` when nothing was."),
    "rto-seconds": z
      .number()
      .min(-1)
      .describe("Seconds from the start until every service served the restored data; -1 when that never happened."),
    "rpo-seconds": z.number().min(-1).describe("Age in seconds of the newest drilled backup's data; -1 without one."),
    "drill-details": z.string().describe("Record of each drill as JSON."),
  }),
  goesWith: {
    newest: [{ "backup-id": "each" }],
  },
  negative: {
    ...notDone,
    "drill-status": "not-run",
    "backup-id": "",
    source: "none",
    "rto-seconds": -1,
    "rpo-seconds": -1,
    "drill-details": "[]",
  },
} satisfies Contract
