import type { FingerprintDifference } from "../core/fingerprint.ts"
import { holds } from "../core/latest-backup.ts"
import { mindUnreadable } from "./earlier-backups.ts"
import { dataServices, holdsData, names, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/** Data that a first creation does not bring back. */
export interface LostData {
  /** The newest backup of it. */
  readonly backup: string
  readonly differences: readonly FingerprintDifference[]
}

/**
 * What the backups say that these services, which are empty, once held. Refuses where none is known, but a manifest cannot
 * be read.
 */
export async function lostData(tools: Tools, services: readonly StackService[]): Promise<LostData | undefined> {
  const data = names(services.filter(holdsData))
  if (data.length === 0) return undefined
  const lists = await Promise.all(tools.stores.map(async (store) => ({ store, ...(await store.list()) })))
  const holding = lists.map(({ store, backups }) => ({
    store,
    newest: backups.find(({ manifest }) => data.some((name) => holds(manifest, name))),
  }))
  const found = holding.find(({ newest }) => newest !== undefined)
  if (!found?.newest) {
    const unreadable = lists.map((one) => ({ ...one, store: one.store.name }))
    const anyLoss = tools.config.backup["max-row-loss"] >= 1
    mindUnreadable(tools, unreadable, { of: data, anyLoss })
    return undefined
  }
  const { id } = found.newest.manifest
  const others = (await dataServices(tools)).some(({ service }) => !data.includes(service.name))
  const alone = others ? `; restore it alone (services: ${data.join(" ")}), so that no other data goes back` : ""
  tools.log.warning(
    `The host has no data of ${data.join(", ")}, but ${found.store.name} has backups of it, the newest is ${id}${alone}`,
  )
  const before = `backup ${id} in ${found.store.name}`
  return { backup: id, differences: data.map((service) => ({ service, fact: "data", before, after: "nothing" })) }
}
