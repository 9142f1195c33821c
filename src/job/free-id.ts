import { backupId, backupStamp } from "../core/backup-id.ts"
import type { BegunBackup } from "../core/leftovers.ts"
import { change } from "../shell/command.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { manifestFile } from "../storage/manifest-file.ts"
import { noteBegun } from "./clean-leftovers.ts"
import { hostNow } from "./host-now.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/**
 * An id that no backup has, whoever's it is: a directory and a prefix may be shared, and two in one second would overwrite
 * each other. By the host's clock: its backups are compared with each other and with what lies there, whichever runner made
 * them. It is claimed by the file that becomes the manifest, in one step with the note that a backup of these services has
 * begun: `discard` gives it back, or whoever finds the note.
 */
export async function freeId(
  tools: Tools,
  s3: BackupStore | undefined,
  services: readonly string[],
): Promise<{ id: string; stamp: string; created: string }> {
  for (;;) {
    const now = await hostNow(tools)
    const id = backupId(now)
    const onHost = await localStore(tools.stores).below([manifestFile(id)])
    // A manifest in S3 is never replaced: where it cannot be looked for now, publishing this one is what fails.
    const inS3 = await s3?.below([manifestFile(id)]).catch(() => [])
    const [stamp, created] = [backupStamp(now), now.toISOString()]
    if (onHost.length + (inS3?.length ?? 0) === 0 && (await claimed(tools, { id, stamp, services, at: created })))
      return { id, stamp, created }
    await tools.clock.sleep(1000, tools.signal)
  }
}

/** False when another environment has taken this second since: what becomes the manifest is made by one alone. */
async function claimed({ layout, work }: Tools, begun: BegunBackup): Promise<boolean> {
  const file = `${layout.backups}/${manifestFile(begun.id)}.partial`
  const claim = change`umask 077
if (set -C; : >${file}) 2>/dev/null; then ${noteBegun(layout, begun)} && echo claimed || { rm -f ${file}; exit 1; }; else [ -e ${file} ]; fi`
  return (await work.step("claim-id", claim, { assume: "claimed" })).stdout.startsWith("claimed")
}
