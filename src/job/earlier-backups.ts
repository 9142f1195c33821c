import { messageOf, refusal } from "../core/errors.ts"
import { holds, isDatedAhead, newestFirst } from "../core/latest-backup.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { hostNow } from "./host-now.ts"
import { names, type StackService } from "./stack-services.ts"
import { localStore, remoteStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/**
 * The proven backups that a new one is compared with, newest first, of every store: a host that was rolled back, or that is
 * in use again after another, has older ones than S3, and its old data must not become the latest backup; nor must a new
 * host's empty database. Where S3 does not tell, or while a service's only backups may be such whose manifests cannot be
 * read, it refuses what the host itself has no backup of, unless `anyLoss` is right anyway.
 */
export async function earlierBackups(
  tools: Tools,
  services: readonly StackService[],
  { anyLoss }: { readonly anyLoss: boolean },
): Promise<readonly Manifest[]> {
  const own = await provenIn(localStore(tools.stores))
  const there = await inS3(tools, names(unheld(services, own.proven)), anyLoss)
  const earlier = newestFirst([...own.proven, ...there.proven])
  const unknown = unheld(services, earlier)
  if (unknown.length > 0) mindUnreadable(tools, [own, there], { of: names(unknown), anyLoss })
  const now = await hostNow(tools)
  const ahead = earlier.find((one) => isDatedAhead(one, now))
  if (ahead)
    tools.log.warning(
      `${ahead.id} is dated in the future: a clock is wrong, or was, and what is the latest is not known`,
    )
  return earlier
}

interface Listed {
  readonly store: BackupStore["name"]
  /** What each manifest is called that cannot be read, and why. */
  readonly unreadable: readonly string[]
}

/**
 * "There is no earlier backup" is not known while a manifest cannot be read that may be of one: refuses, naming each; only
 * warns where `anyLoss` is right anyway.
 */
export function mindUnreadable(
  tools: Pick<Tools, "log">,
  lists: readonly Listed[],
  { of, anyLoss }: { readonly of: readonly string[]; readonly anyLoss: boolean },
): void {
  const lines = lists.flatMap(({ store, unreadable }) => unreadable.map((line) => `${store}: ${line}`))
  if (lines.length === 0) return
  const problem = `no backup of ${of.join(", ")} is known, but there are manifests that cannot be read: ${lines.join("; ")}`
  if (!anyLoss)
    throw refusal("earlier-unreadable", problem, {
      hint: "What a newer version of this suite wrote, that version reads. What is damaged, or of another project that shares the place, move out of it. If nothing was ever backed up here, set backup.max-row-loss to 1 until there is a backup.",
    })
  tools.log.warning(problem)
}

function unheld(services: readonly StackService[], backups: readonly Manifest[]): readonly StackService[] {
  return services.filter(({ service }) => !backups.some((one) => holds(one, service.name)))
}

interface Proven extends Listed {
  readonly proven: readonly Manifest[]
}

const nothing: Proven = { store: "s3", proven: [], unreadable: [] }

async function inS3(tools: Tools, missing: readonly string[], anyLoss: boolean): Promise<Proven> {
  const s3 = remoteStore(tools.stores)
  if (!s3) return nothing
  try {
    return await provenIn(s3)
  } catch (error) {
    if (tools.signal.aborted) throw error
    if (missing.length === 0 || anyLoss) {
      tools.log.warning(`S3, which may have a newer backup to compare with, cannot be asked: ${messageOf(error)}`)
      return nothing
    }
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

async function provenIn(store: BackupStore): Promise<Proven> {
  const { backups, unreadable } = await store.list()
  const proven = backups.map(({ manifest }) => manifest).filter((one) => isProven(one, store.name))
  return { store: store.name, proven, unreadable }
}
