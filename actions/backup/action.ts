import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import { formatBytes } from "../../src/core/bytes.ts"
import type { Layout } from "../../src/core/layout.ts"
import { totals } from "../../src/core/manifest-contents.ts"
import { type BackupResult, backup } from "../../src/job/backup.ts"
import { manifestFile } from "../../src/storage/manifest-file.ts"
import { backupContract } from "./contract.ts"

export const backupAction = action(backupContract, (inputs, context) =>
  withTools(inputs, context, { name: "backup", mutates: true, usesStores: true }, async (tools) => {
    const done = await backup(tools, inputs.services ? { services: inputs.services } : {})
    return tools.work.dryRun ? planned(done) : made(done, tools.layout)
  }),
)

function made(done: BackupResult, { backups }: Pick<Layout, "backups">) {
  const { id, storage, services } = done.manifest
  return {
    outputs: {
      status: done.status,
      reason: done.s3Failure === undefined ? "done" : "s3-failed",
      "backup-id": id,
      "backup-location": `${backups}/${manifestFile(id)}`,
      "backup-size": totals(services).bytes,
      "storage-local": "success",
      "storage-s3": storage.s3,
    },
    summary: summaryOf(done),
  } as const
}

/** Of a dry run: there is no backup that an id could name. */
function planned({ manifest, s3Failure, status }: BackupResult) {
  const { s3 } = manifest.storage
  const files = manifest.services.flatMap(({ service, artifacts }) => artifacts.map(({ file }) => [service, file]))
  return {
    outputs: {
      status,
      reason: "dry-run",
      "backup-id": "",
      "backup-location": "",
      "backup-size": 0,
      "storage-local": "not-run",
      "storage-s3": s3 === "success" ? "not-run" : s3,
    },
    summary: [
      summaryTable("No backup was made: these files would be", ["Service", "File"], files),
      s3Failure === undefined ? "" : `**S3 would not have it**: ${s3Failure}\n`,
    ].join("\n"),
  } as const
}

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
