import { messageOf, refusal } from "../core/errors.ts"
import { holds, isDatedAhead } from "../core/latest-backup.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { hostNow } from "./host-now.ts"
import { names, type StackService } from "./stack-services.ts"
import { localStore, remoteStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/**
 * What a new backup is compared with, newest first: the host's own proven backups, and S3's where those hold not every service. A
 * new host has none of its own, and its empty database must not become the latest backup of the old one's: refuses while
 * S3 does not tell, unless `anyLoss` is right anyway.
 */
export async function earlierBackups(
  tools: Tools,
  services: readonly StackService[],
  { anyLoss }: { readonly anyLoss: boolean },
): Promise<readonly Manifest[]> {
  const own = await provenIn(localStore(tools.stores))
  const missing = services.filter(({ service }) => !own.some((one) => holds(one, service.name)))
  const there = missing.length > 0 ? await inS3(tools, names(missing), anyLoss) : []
  const now = await hostNow(tools)
  const ahead = [...own, ...there].find((one) => isDatedAhead(one, now))
  if (ahead)
    tools.log.warning(
      `${ahead.id} is dated in the future: a clock is wrong, or was, and what is the latest is not known`,
    )
  return [...own, ...there.filter((one) => missing.some(({ service }) => holds(one, service.name)))]
}

async function inS3(tools: Tools, missing: readonly string[], anyLoss: boolean): Promise<readonly Manifest[]> {
  const s3 = remoteStore(tools.stores)
  if (!s3) return []
  try {
    return await provenIn(s3)
  } catch (error) {
    if (tools.signal.aborted) throw error
    if (anyLoss) return []
    throw refusal(
      "earlier-unknown",
      `this host has no backup of ${missing.join(", ")}, and S3, which may have one, cannot be asked: ${messageOf(error)}`,
      {
        hint: "Run it again when S3 answers. If this is known to be the first backup, set backup.max-row-loss to 1 until it is made.",
        cause: error,
      },
    )
  }
}

async function provenIn(store: BackupStore): Promise<readonly Manifest[]> {
  const { backups } = await store.list()
  return backups.map(({ manifest }) => manifest).filter((one) => isProven(one, store.name))
}
