import { action } from "../../src/action/outcome.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { restore } from "../../src/job/restore.ts"
import { restoreContract } from "./contract.ts"

export const restoreAction = action(restoreContract, (inputs, context) =>
  withTools(inputs, context, { name: "restore", mutates: true, usesStores: true }, async (tools) => {
    const done = await restore(tools, {
      backupId: inputs["backup-id"],
      source: inputs.source,
      ...(inputs.services ? { services: inputs.services } : {}),
    })
    const counts = `${done.tables} tables with ${done.rows} rows and ${done.keys} keys`
    context.log.info(`${done.backupId} from ${done.source}: ${counts}, equal to its manifest`)
    return {
      outputs: {
        status: "success",
        reason: tools.work.dryRun ? "dry-run" : "done",
        "restore-status": "success",
        "backup-id": done.backupId,
        source: done.source,
        "tables-restored": done.tables,
        "rows-restored": done.rows,
        "keys-restored": done.keys,
      },
      summary: `### Restored ${done.backupId} from ${done.source}\n\n${counts}, equal to its manifest.\n\n${done.kept.join("\n")}\n`,
    }
  }),
)
