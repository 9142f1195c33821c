import { failure } from "../../core/errors.ts"
import type { Artifact } from "../../core/manifest.ts"
import { hashingScript } from "../../remote/hashing-script.ts"
import { script } from "../../shell/command.ts"
import { differences, parseVerified } from "../../storage/stored-files.ts"
import type { RestoreJob } from "./restore-job.ts"

/**
 * Throws when a file that tells how roles and databases are made is not the one that the manifest describes: the
 * superuser runs what stands in it. The databases' own files are proven when each is about to be restored.
 */
export async function assertUnchanged({ service, work }: RestoreJob, artifacts: readonly Artifact[]): Promise<void> {
  const small = artifacts.filter((one) => one.role !== "database")
  const command = script("read", hashingScript("store-verify"), [service.backups, ...small.map(({ file }) => file)])
  const wrong = await work.check(
    `verify-${service.name}`,
    async () => differences(small, parseVerified((await service.host.run(command)).stdout)),
    [],
  )
  if (wrong.length === 0) return
  throw failure("backup-damaged", `the backup of ${service.name} is not what it was: ${wrong.join("; ")}`, {
    hint: "Nothing live was touched. Use this backup's copy in the other store, or another backup.",
  })
}
