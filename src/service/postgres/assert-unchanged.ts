import { failure } from "../../core/errors.ts"
import type { Artifact } from "../../core/manifest.ts"
import { wrongFiles } from "../../storage/stored-files.ts"
import type { RestoreJob } from "./restore-job.ts"

/** Throws when one of these files is not the one that the manifest describes. */
export async function assertUnchanged({ service, work }: RestoreJob, artifacts: readonly Artifact[]): Promise<void> {
  const look = () => wrongFiles(service.host, service.backups, artifacts)
  const wrong = await work.check(`verify-${service.name}`, look, [])
  if (wrong.length === 0) return
  throw failure("backup-damaged", `the backup of ${service.name} is not what it was: ${wrong.join("; ")}`, {
    hint: "Nothing live was touched. Use this backup's copy in the other store, or another backup.",
  })
}
