import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { connectionInputs } from "../../src/action/shared-inputs.ts"
import { unfinishedStates } from "../../src/core/decision.ts"

export const checkInfraContract = {
  name: "check-infra",
  description:
    "Looks at containers, services, network, volumes and disk, and says whether the infrastructure is healthy.",
  mutates: false,
  inputs: z.strictObject({ ...connectionInputs }),
  outputs: z.strictObject({
    ...commonOutputs,
    "infra-healthy": z.boolean().describe("Whether `infra-status` is `healthy`."),
    "infra-status": z
      .enum(["healthy", "unhealthy", "missing", "unknown"])
      .describe("`healthy`, `unhealthy` or `missing`; `unknown` only when the action failed."),
    "infra-details": z.string().describe("Report as JSON: state and details of each service."),
    "data-present": z
      .boolean()
      .describe(
        "Whether any data volume or directory of a data service holds something; which databases are missing, a warning says.",
      ),
    unfinished: z
      .enum(unfinishedStates)
      .describe("`no`; `run`: the next run finishes one that was cut off; `restore`: the app stays stopped until one."),
    "exit-code": z.int().min(0).max(3).describe("0 healthy, 1 minor, 2 critical, 3 containers missing."),
  }),
  negative: {
    ...notDone,
    "infra-healthy": false,
    "infra-status": "unknown",
    "infra-details": "{}",
    "data-present": true,
    unfinished: "no",
    "exit-code": 2,
  },
} satisfies Contract
