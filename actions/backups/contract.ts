import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { boolean, input } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import { changeInputs, connectionInputs, storeInputs } from "../../src/action/shared-inputs.ts"

export const backupsContract = {
  name: "backups",
  description:
    "Lists the backups of every store with why each is kept and whether the stores agree, or applies retention.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    ...changeInputs,
    mode: input(z.enum(["list", "prune"]).default("list"), {
      description:
        "`list` only looks and takes no lock; `prune` applies the retention policy to each store now, and with `dry-run` shows what it would remove.",
      placeholder: "MODE",
    }),
    verify: input(boolean.default(false), {
      description:
        "With `list`: read every local file and look at every object in S3 again, and compare their checksums with the manifests.",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    backups: z
      .string()
      .describe(
        "The backups as a JSON array, newest first: `id`, `created`, `age-seconds`, `bytes`, `services`, `sync` and, in `copies`, per store `proven` (`restored` by a drill, or the tier of its bytes), `drill` (the last one's `at`, `result`, `reason`, `rto-seconds`, `rpo-seconds`), `keep`, `reasons`, `locked-until`, `problems`.",
      ),
    count: z.int().min(0).describe("Number of backups, each counted once."),
    removed: z.int().min(0).describe("Number of copies that `prune` removed, or would remove in a dry run."),
    "newest-proven": z.string().describe("Id of the newest backup that some store holds proven; empty without one."),
    "newest-age-seconds": z.int().min(-1).describe("Age of `newest-proven`; -1 without one."),
    left: z
      .string()
      .describe(
        "With `list`: what lies on the host besides (replaced databases and keys, data directories that were set aside, damaged and half written files) as a JSON array: `name`, `what`, `service`, `bytes`, `age-seconds` and `removal` (`clean`: `restore` with `mode: clean`; `next-backup`; `by-hand`).",
      ),
  }),
  goesWith: {
    verify: [{ mode: "list" }],
  },
  negative: {
    ...notDone,
    backups: "[]",
    count: 0,
    removed: 0,
    "newest-proven": "",
    "newest-age-seconds": -1,
    left: "[]",
  },
} satisfies Contract
