import { type BackupEntry, backupInventory, type StoreInventory } from "../core/backup-inventory.ts"
import type { DrillRecord } from "../core/drill-record.ts"
import { messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { clockDoubt, retentionItems, retentionOf } from "./apply-retention.ts"
import { knownDrills } from "./known-drills.ts"
import type { Tools } from "./tools.ts"

export interface ListBackupsOptions {
  /** Reads every local file and looks at every object again; what is missing, or of another length, is told anyway. */
  readonly verify?: boolean
}

export interface BackupList {
  /** Newest first. */
  readonly entries: readonly BackupEntry[]
  /** One sentence each: stores that could not be listed, manifests that cannot be read, copies that are damaged. */
  readonly problems: readonly string[]
}

/**
 * Every backup of this environment in each store, with why it stays and whether the stores agree. A store that cannot be
 * listed is a problem that is told, never an empty list; when none can be, this throws the first one's error.
 */
export async function listBackups(tools: Tools, { verify = false }: ListBackupsOptions = {}): Promise<BackupList> {
  const problems: string[] = []
  const lists: StoreList[] = []
  const errors: unknown[] = []
  for (const store of tools.stores) {
    try {
      const { backups, unreadable } = await store.list()
      lists.push({ store, manifests: backups.map(({ manifest }) => manifest) })
      problems.push(...unreadable.map((one) => `${store.name}: ${one} is no readable manifest`))
    } catch (error) {
      if (tools.signal.aborted) throw error
      errors.push(error)
      problems.push(`${store.name} could not be listed: ${messageOf(error)}`)
    }
  }
  if (lists.length === 0) throw errors[0]
  const drills = await knownDrills(
    tools,
    lists.map(({ store }) => store),
  )
  problems.push(...drills.problems)
  const inventories: StoreInventory[] = []
  for (const one of lists) inventories.push(await inventoryOf(tools, one, { verify, problems, drills: drills.records }))
  const entries = backupInventory(inventories, {
    now: tools.clock.now(),
    configured: tools.stores.map(({ name }) => name),
    drills: drills.records,
  })
  for (const { id, copies } of entries)
    for (const { store, drill } of copies)
      if (drill?.result === "failed")
        problems.push(`${store}: the last drill of ${id}, of ${drill.at}, failed: ${drill.reason}`)
  const differing = entries.filter(({ sync }) => sync === "differs")
  for (const { id } of differing)
    problems.push(`${id} is not the same in both stores: their manifests name other bytes`)
  return { entries, problems }
}

interface StoreList {
  readonly store: BackupStore
  readonly manifests: readonly Manifest[]
}

interface Look {
  readonly verify: boolean
  readonly problems: string[]
  readonly drills: readonly DrillRecord[]
}

async function inventoryOf(
  tools: Tools,
  { store, manifests }: StoreList,
  { verify, problems, drills }: Look,
): Promise<StoreInventory> {
  const lacking = await lackingIn(tools, store, { manifests, problems })
  const decisions = await retentionOf(tools, retentionItems(store.name, manifests, { drills, lacking }))
  const doubt = clockDoubt(store.name, decisions)
  if (doubt !== undefined) problems.push(doubt)
  const found = new Map(verify ? [] : lacking)
  if (verify) for (const one of manifests) found.set(one.id, await differencesOf(tools, store, one))
  for (const [id, differences] of found) problems.push(...differences.map((one) => `${store.name}: ${id}: ${one}`))
  return { store: store.name, manifests, decisions, problems: found }
}

/** Only what the store tells without reading the files. */
async function lackingIn(
  tools: Tools,
  store: BackupStore,
  { manifests, problems }: Pick<StoreList, "manifests"> & Pick<Look, "problems">,
): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    return await store.lacking(manifests)
  } catch (error) {
    if (tools.signal.aborted) throw error
    problems.push(`${store.name}: whether files are missing could not be looked at: ${messageOf(error)}`)
    return new Map()
  }
}

/** One manifest that cannot be checked must not hide what is wrong with the others. */
async function differencesOf(tools: Tools, store: BackupStore, manifest: Manifest): Promise<readonly string[]> {
  try {
    return await store.verify(manifest)
  } catch (error) {
    if (tools.signal.aborted) throw error
    return [`could not be checked: ${messageOf(error)}`]
  }
}
