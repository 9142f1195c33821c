import { failure } from "../../core/errors.ts"
import type { Artifact } from "../../core/manifest.ts"
import { hashingScript } from "../../remote/hashing-script.ts"
import { script } from "../../shell/command.ts"
import { differences, parseVerified, readingTime } from "../../storage/stored-files.ts"
import type { RestoreJob } from "./restore-job.ts"

/** Throws when one of these files is not the one that the manifest describes. */
export async function assertUnchanged({ service, work }: RestoreJob, artifacts: readonly Artifact[]): Promise<void> {
  const command = script("read", hashingScript("store-verify"), [service.backups, ...artifacts.map(({ file }) => file)])
  const wrong = await work.check(`verify-${service.name}`, async () => {
    const { stdout } = await service.host.run(command, { timeout: readingTime(artifacts) })
    return differences(artifacts, parseVerified(stdout))
  }, [])
  if (wrong.length === 0) return
  throw failure("backup-damaged", `the backup of ${service.name} is not what it was: ${wrong.join("; ")}`, {
    hint: "Nothing live was touched. Use this backup's copy in the other store, or another backup.",
  })
}
