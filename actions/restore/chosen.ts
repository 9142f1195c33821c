import type { InputsOf } from "../../src/action/contract.ts"
import type { cleanReplaced } from "../../src/job/clean-replaced.ts"
import type { RestoreOptions } from "../../src/job/restore.ts"
import type { ForeignRestoreOptions } from "../../src/job/restore-foreign.ts"
import type { UndoOptions } from "../../src/job/undo-restore.ts"
import type { restoreContract } from "./contract.ts"

/** One of the four things that `restore` does, with all that it goes by. */
export type Chosen =
  | { readonly what: "backup"; readonly options: RestoreOptions }
  | { readonly what: "file"; readonly options: ForeignRestoreOptions }
  | { readonly what: "undo"; readonly options: UndoOptions }
  | { readonly what: "clean"; readonly options: Parameters<typeof cleanReplaced>[1] }

/** 14 days. */
const defaultAge = 14 * 86_400_000

/** What the inputs ask for. What it does not read here has no effect: the contract's `goesWith` then refuses it. */
export function chosen(inputs: InputsOf<typeof restoreContract>): Chosen {
  const { mode, services } = inputs
  const some = services ? { services } : {}
  if (mode === "undo") return { what: "undo", options: { force: inputs.force, ...some } }
  if (mode === "clean") return { what: "clean", options: { age: inputs["replaced-older-than"] ?? defaultAge, ...some } }
  if (inputs.file !== undefined) {
    const { file, database, force } = inputs
    return { what: "file", options: { file, force, ...some, ...(database === undefined ? {} : { database }) } }
  }
  const inPlace = inputs["in-place"] && { inPlace: { force: inputs.force } }
  return { what: "backup", options: { backupId: inputs["backup-id"], source: inputs.source, ...some, ...inPlace } }
}
