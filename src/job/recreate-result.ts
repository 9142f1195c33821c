import type { FingerprintDifference } from "../core/fingerprint.ts"
import type { RecreatePlan } from "./recreate-plan.ts"

/** What serves after a recreation: the new containers, or the rung of the way back that held. */
export const rungs = ["new-containers", "previous-images", "previous-data", "backup"] as const
export type Rung = (typeof rungs)[number]

export interface RecreateResult {
  /** `rolled-back`: the new containers did not become healthy with the same data, and what was there before serves again. */
  readonly status: "recreated" | "created" | "rolled-back"
  readonly rung: Rung
  /** What made the way back necessary. */
  readonly cause: string | undefined
  /** Empty: the data is the same before and after. */
  readonly differences: readonly FingerprintDifference[]
  /** What a person should see to, one sentence each. */
  readonly advice: readonly string[]
  /** Where replaced data is kept, one sentence each. */
  readonly kept: readonly string[]
  readonly plan: RecreatePlan
}

/** What serves now, for a person. */
export function describeRung(rung: Rung): string {
  switch (rung) {
    case "new-containers":
      return "the new containers serve"
    case "previous-images":
      return "the previous images serve again, on the same data"
    case "previous-data":
      return "the previous images serve again, on the data directory from before the upgrade"
    case "backup":
      return "the previous images serve again, with restored data"
  }
}
