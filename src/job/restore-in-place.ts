import type { Manifest, ServiceBackup } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import type { InPlace } from "../service/driver.ts"
import { backup } from "./backup.ts"
import { noteDropped } from "./restore-note.ts"
import type { Restoring } from "./stopped-app-note.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/** What a driver needs to drop the live data of one service, and what became of it. */
export interface AllowedInPlace extends InPlace {
  /** Where what was dropped is held, one sentence; undefined while nothing was. */
  told(): string | undefined
}

/**
 * Lets a restore drop the live data of this service, the app being stopped: a proven backup holds it then, one that there is or
 * one that is made now. With `force` none is needed.
 */
export function allowInPlace(
  tools: Tools,
  service: string,
  { force, dropped: earlier }: NonNullable<Restoring["inPlace"]>,
): AllowedInPlace {
  let held = earlier[service] ?? null
  let dropped = service in earlier
  return {
    async hold(holds) {
      tools.log.warning(
        `The disk has no room for the live data of ${service} and the backup's: it is replaced in place`,
      )
      if (force) {
        tools.log.warning(`As force says, no backup is made of what ${service} holds now: it will be gone`)
        return undefined
      }
      const manifest = (await whatHolds(tools, service, holds)) ?? (await backUp(tools, service))
      held = manifest.id
      return partOf(manifest, service)
    },
    async noWayBack() {
      await noteDropped(tools, service, held)
      dropped = !tools.work.dryRun
      if (dropped) tools.log.warning(`Dropping the live data of ${service}: ${sentence(held)}`)
    },
    told: () => (dropped ? sentence(held) : undefined),
  }
}

function sentence(held: string | null): string {
  return held === null
    ? "What was there before is in no backup that is known to hold it."
    : `What was there before is in ${held}.`
}

/** The newest backup of the service, when it is whole and holds what is there now. */
async function whatHolds(
  tools: Tools,
  service: string,
  holds: Parameters<InPlace["hold"]>[0],
): Promise<Manifest | undefined> {
  const store = localStore(tools.stores)
  const [{ backups }, { records: drills }] = await Promise.all([store.list(), store.drills()])
  const newest = backups.find(
    ({ manifest }) => isProven(manifest, store.name, drills) && partOf(manifest, service),
  )?.manifest
  const part = newest && partOf(newest, service)
  if (!newest || !part || !(await holds(part))) return undefined
  if ((await store.verify(newest)).length > 0) return undefined
  tools.log.info(`${newest.id} holds what ${service} holds now, row by row`)
  return newest
}

async function backUp(tools: Tools, service: string): Promise<Manifest> {
  const { manifest } = await tools.log.group("backing up what is going to be replaced", () =>
    backup(tools, { services: [service], beforeDrop: true }),
  )
  return manifest
}

function partOf({ services }: Manifest, service: string): ServiceBackup | undefined {
  return services.find((one) => one.service === service)
}
