import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { formatBytes } from "../../src/core/bytes.ts"
import { totals } from "../../src/core/manifest-contents.ts"
import { type BackupResult, backup } from "../../src/job/backup.ts"
import { manifestFile } from "../../src/storage/manifest-file.ts"
import { backupContract } from "./contract.ts"

export const backupAction = action(backupContract, (inputs, context) =>
  withTools(inputs, context, { name: "backup", mutates: true, usesStores: true }, async (tools) => {
    const done = await backup(tools, inputs.services ? { services: inputs.services } : {})
    const { id, storage, services } = done.manifest
    return {
      outputs: {
        status: done.status,
        reason: tools.work.dryRun ? "dry-run" : done.s3Failure === undefined ? "done" : "s3-failed",
        "backup-id": id,
        "backup-location": `${tools.layout.backups}/${manifestFile(id)}`,
        "backup-size": totals(services).bytes,
        "storage-local": "success",
        "storage-s3": storage.s3,
      },
      summary: summaryOf(done),
    }
  }),
)

function summaryOf({ manifest, s3Failure, repaired, retention }: BackupResult): string {
  const files = manifest.services.flatMap(({ service, artifacts }) =>
    artifacts.map((one) => [service, one.name, formatBytes(one.bytes), one.sha256.slice(0, 12)]),
  )
  const { tables, rows, keys } = totals(manifest.services)
  const kept = retention.map(({ store, decisions, removed }) => [
    store,
    String(decisions.length - removed.length),
    String(removed.length),
  ])
  return [
    summaryTable(`Backup ${manifest.id}`, ["Service", "What", "Size", "SHA-256"], files),
    `${tables} tables with ${rows} rows, ${keys} keys; counted in the dump's own snapshot and decoded to the end.\n`,
    s3Failure === undefined ? `S3: ${manifest.storage.s3}.\n` : `**S3 does not have it**: ${s3Failure}\n`,
    ...repaired.map(({ id, store, failure }) =>
      failure === undefined
        ? `The copy of ${id} that ${store} lacked is there again.\n`
        : `**${store} still lacks its copy of ${id}**: ${failure}\n`,
    ),
    summaryTable("Retention", ["Store", "Kept", "Removed"], kept),
  ].join("\n")
}
