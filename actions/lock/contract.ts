import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { boolean, input, wholeNumber } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { connectionInputs, lockWait } from "../../src/action/shared-inputs.ts"
import { lockModes } from "../../src/job/lock.ts"

export const lockContract = {
  name: "lock",
  description: "Takes, renews, releases or shows the one lock that guards every change of an environment on its host.",
  mutates: false,
  inputs: z.strictObject({
    ...connectionInputs,
    mode: input(z.enum(lockModes).default("acquire"), {
      description:
        "`acquire`, `renew`, `release`, `status`, or `force-release`: takes the lock from whoever holds it, for a person who knows that its holder is dead.",
      placeholder: "MODE",
    }),
    keep: input(boolean.default(false), {
      description:
        "With `acquire`: keep the lock after this job, for the jobs that follow; a later `release` gives it back. Otherwise it is given back at the end of the job; in a terminal, where no job ends, it stays until a `release`, or until it is stale.",
    }),
    "lock-number": input(wholeNumber.optional(), {
      description:
        "With `renew` and `release`: number of the lock, output `lock-number` of whoever took it in this run.",
      placeholder: "NUMBER",
    }),
    "lock-wait": lockWait,
    purpose: input(z.string().max(200).default("deployment"), {
      description: "What the lock is for, shown to whoever waits for it.",
      placeholder: "TEXT",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    acquired: z.boolean().describe("Whether this run holds the lock now."),
    holder: z.string().describe("Who holds it: actor, run and purpose; empty when nobody does."),
    "lock-number": z.string().describe("Number of the claim, to be given to the jobs that follow; empty without one."),
    "lease-expires": z.string().describe("When it runs out unless renewed, ISO 8601; empty without a holder."),
  }),
  goesWith: {
    keep: [{ mode: "acquire" }],
    purpose: [{ mode: "acquire" }],
    "lock-wait": [{ mode: "acquire" }],
    "lock-number": [{ mode: "renew" }, { mode: "release" }],
  },
  negative: { ...notDone, acquired: false, holder: "", "lock-number": "", "lease-expires": "" },
} satisfies Contract
