import { action, type Outcome } from "../../src/action/outcome.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { cleanReplaced } from "../../src/job/clean-replaced.ts"
import { type RestoreOptions, restore } from "../../src/job/restore.ts"
import { type ForeignRestoreOptions, restoreForeign } from "../../src/job/restore-foreign.ts"
import type { Tools } from "../../src/job/tools.ts"
import { type UndoOptions, undoRestore } from "../../src/job/undo-restore.ts"
import { chosen } from "./chosen.ts"
import { restoreContract } from "./contract.ts"

export const restoreAction = action(restoreContract, (inputs, context) => {
  const asked = chosen(inputs)
  const usesStores = asked.what === "backup" || asked.what === "clean"
  return withTools(inputs, context, { name: "restore", mutates: true, usesStores }, async (tools) => {
    switch (asked.what) {
      case "backup":
        return bringBack(tools, asked.options)
      case "file":
        return fromFile(tools, asked.options)
      case "undo":
        return undo(tools, asked.options)
      case "clean":
        return clean(tools, asked.options)
    }
  })
})

async function bringBack(tools: Tools, options: RestoreOptions): Promise<Outcome<typeof restoreContract>> {
  const done = await restore(tools, options)
  const counts = `${done.tables} tables with ${done.rows} rows and ${done.keys} keys`
  const compared = ["equal to its manifest", ...done.caveats].join(", but: ")
  tools.log.info(`${done.backupId} from ${done.source}: ${counts}, ${compared}`)
  return {
    outputs: {
      ...succeeded(tools),
      "backup-id": done.backupId,
      source: done.source,
      "tables-restored": done.tables,
      "rows-restored": done.rows,
      "keys-restored": done.keys,
    },
    summary: `### Restored ${done.backupId} from ${done.source}\n\n${counts}, ${compared}.\n\n${[...done.kept, ...done.displaced].join("\n")}\n`,
  }
}

async function fromFile(tools: Tools, options: ForeignRestoreOptions): Promise<Outcome<typeof restoreContract>> {
  const { tables, rows, kept } = await restoreForeign(tools, options)
  const counts = `${tables} tables with ${rows} rows`
  tools.log.info(`${options.file}: ${counts}. ${kept}`)
  return {
    outputs: { ...succeeded(tools), "tables-restored": tables, "rows-restored": rows },
    summary: `### Restored ${options.file}\n\n${counts}.\n\n${kept}\n`,
  }
}

async function undo(tools: Tools, options: UndoOptions): Promise<Outcome<typeof restoreContract>> {
  const { done, left } = await undoRestore(tools, options)
  for (const sentence of done) tools.log.info(sentence)
  const rest = left.length === 0 ? "" : `\nLeft as they are: ${left.join(", ")}.\n`
  return { outputs: succeeded(tools), summary: `### Took the last restore back\n\n${done.join("\n")}\n${rest}` }
}

async function clean(
  tools: Tools,
  options: Parameters<typeof cleanReplaced>[1],
): Promise<Outcome<typeof restoreContract>> {
  const { removed, kept, bytes } = await cleanReplaced(tools, options)
  const list = (items: readonly string[]) => items.map((one) => `- ${one}\n`).join("") || "- nothing\n"
  tools.log.info(`Removed ${removed.length} sets of replaced data, ${bytes} bytes; ${kept.length} stay`)
  return {
    outputs: succeeded(tools),
    summary: `### Removed replaced data\n\n${list(removed)}\nKept:\n\n${list(kept)}`,
  }
}

/** Nothing was restored by what only moves or removes. */
function succeeded(tools: Tools) {
  return {
    ...restoreContract.negative,
    source: "none",
    status: "success",
    reason: tools.work.dryRun ? "dry-run" : "done",
    "restore-status": "success",
  } as const
}
