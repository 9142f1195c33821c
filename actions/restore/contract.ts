import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { backupNamed, boolean, input, time } from "../../src/action/input.ts"
import { commonOutputs, notDone } from "../../src/action/outcome.ts"
import {
  backupKey,
  changeInputs,
  connectionInputs,
  servicesInput,
  storeInputs,
} from "../../src/action/shared-inputs.ts"

export const restoreModes = ["restore", "undo", "clean"] as const

export const restoreContract = {
  name: "restore",
  description: "Brings a backup back beside the live data, counts it, swaps it in, and keeps what it replaced.",
  mutates: true,
  inputs: z.strictObject({
    ...connectionInputs,
    ...storeInputs,
    ...changeInputs,
    "backup-key": backupKey,
    mode: input(z.enum(restoreModes).default("restore"), {
      description:
        "`restore`; `undo`, which takes the last restore back: what it replaced serves again; or `clean`, which removes replaced data for good once a later backup is proven.",
      placeholder: "MODE",
    }),
    "replaced-older-than": input(time.optional(), {
      description: "With `clean`: how long ago data must have been replaced, such as `14d`; 14 days unless told.",
      placeholder: "DURATION",
    }),
    "backup-id": input(backupNamed("latest").default("latest"), {
      description: "Backup to restore: an id, or `latest` for the newest proven one.",
      placeholder: "ID",
    }),
    file: input(z.string().startsWith("/", "use an absolute path on the host").optional(), {
      description:
        "Restore this dump instead of a backup: a `.sql`, `.sql.gz`, `.sql.zst`, `.dump` or tar file, or the folder of `pg_dump -Fd`, made by anybody, on the host. It runs as a role without rights over the server.",
      placeholder: "PATH",
    }),
    database: input(z.string().optional(), {
      description: "With `file`: the database to replace or make; the one in `services.*.databases` unless told.",
      placeholder: "NAME",
    }),
    force: input(boolean.default(false), {
      description:
        "With `file`: run the dump as the superuser, with its owners, whatever speaks against it; only for a dump whose maker you trust. With `undo`: take back a restore of more than a day ago. With `in-place`: drop the live data without a backup of it.",
    }),
    "in-place": input(boolean.default(false), {
      description:
        "Where the disk has no room for the live databases and the backup's: back the live ones up, drop them, and bring the backup in their place. There is no undo then, only that backup.",
    }),
    services: servicesInput("Services to restore; every one in the backup unless told."),
    source: input(z.enum(["auto", "local", "s3"]).default("auto"), {
      description:
        "Where to take the files from: `local`, `s3`, or `auto` for the host first and S3 when it has no good copy.",
      placeholder: "WHERE",
    }),
  }),
  outputs: z.strictObject({
    ...commonOutputs,
    "restore-status": z.enum(["success", "failed"]).describe("`success` or `failed`."),
    "backup-id": z.string().describe("Id of the backup that was restored."),
    source: z
      .enum(["local", "s3", "none"])
      .describe("Where its files came from: `local`, `s3`; `none` when nothing was restored."),
    "tables-restored": z.int().min(0).describe("Tables restored and counted."),
    "rows-restored": z.int().min(0).describe("Rows restored and counted."),
    "keys-restored": z.int().min(0).describe("Keys restored and counted."),
  }),
  goesWith: {
    "backup-id": [{ mode: "restore", file: false }],
    source: [{ mode: "restore", file: false }],
    "in-place": [{ mode: "restore", file: false }],
    file: [{ mode: "restore" }],
    database: [{ file: true }],
    force: [{ file: true }, { "in-place": true }, { mode: "undo" }],
    "replaced-older-than": [{ mode: "clean" }],
  },
  negative: {
    ...notDone,
    "restore-status": "failed",
    "backup-id": "",
    source: "none",
    "tables-restored": 0,
    "rows-restored": 0,
    "keys-restored": 0,
  },
} satisfies Contract
