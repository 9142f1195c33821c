import { backupId } from "../core/backup-id.ts"
import { type Disk, lackOfRoom } from "../core/disk-room.ts"
import { failure, refusal } from "../core/errors.ts"
import type { Manifest, ServiceBackup } from "../core/manifest.ts"
import { imageOf } from "../docker/image.ts"
import type { Container } from "../docker/stack.ts"
import type { Upgrade } from "../service/driver.ts"
import { type Command, change, lines, sh } from "../shell/command.ts"
import { setAsideNoted } from "./aside.ts"
import { noteDump } from "./clean-leftovers.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import { hostNow } from "./host-now.ts"
import { covers, directoryOf } from "./keep-volumes.ts"
import { besidePaths } from "./set-aside.ts"
import { containerOf, holdsData, type StackService } from "./stack-services.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { forgetUpgrades, type UpgradeNote, writeUpgrades } from "./upgrade-note.ts"
import { waitHealthy } from "./wait-healthy.ts"

/** A data service whose new image cannot serve the old directory, with its container as it was, and the way back. */
export interface PlannedUpgrade {
  readonly one: StackService
  readonly upgrade: Upgrade
  readonly note: UpgradeNote
}

/** The services whose new image needs another directory, found before anything stops. Refuses what cannot be done. */
export async function findUpgrades(
  tools: Tools,
  services: readonly StackService[],
  { id, services: held }: Pick<Manifest, "id" | "services">,
): Promise<readonly PlannedUpgrade[]> {
  const found: PlannedUpgrade[] = []
  for (const one of services.filter(holdsData)) {
    if (!one.container || !one.driver.upgrade) continue
    const upgrade = await one.driver.upgrade(one.service, one.container, one.definition)
    if (!upgrade) continue
    const directory = await directoryBehind(tools, one, upgrade)
    const artifacts = held.find(({ service }) => service === one.service.name)?.artifacts ?? []
    await assertRoom(tools, directory, { ...upgrade, dump: artifacts.reduce((sum, one) => sum + one.bytes, 0) })
    const { id: imageId, reference } = await imageOf(tools.host, one.container)
    const image = reference.includes("@") ? { image: reference } : {}
    const paths = { directory, ...besidePaths(directory, { id, now: await hostNow(tools) }) }
    const note: UpgradeNote = { format: 1, service: one.service.name, imageId, ...image, ...paths }
    found.push({ one, upgrade, note })
    tools.log.info(
      `${one.service.name}: ${upgrade.from} becomes ${upgrade.to}; the old data will be kept in ${note.aside}`,
    )
  }
  return found
}

/**
 * For services that are stopped cleanly: starts each old server once more without any network, so that nobody can
 * write, dumps all of it, stops it and moves its directory aside. From the first step on, the notes tell the way back.
 */
export async function emptyForUpgrade(
  tools: Tools,
  upgrades: readonly PlannedUpgrade[],
): Promise<ReadonlyMap<string, ServiceBackup>> {
  const dumps = new Map<string, ServiceBackup>()
  if (upgrades.length === 0) return dumps
  const notes = upgrades.map(({ note }) => note)
  await tools.work.step("note-upgrade", writeUpgrades(tools.layout, notes))
  for (const planned of upgrades) {
    const { name } = planned.one.service
    dumps.set(name, await dumpAlone(tools, planned))
    const { imageId, directory, aside, failed } = planned.note
    const note = { service: name, directory, aside, failed, at: (await hostNow(tools)).toISOString() }
    await tools.work.step(`set-aside-${name}`, setAsideNoted(tools.layout, imageId, note))
  }
  return dumps
}

/**
 * Fills the new servers and takes the notes away: from here on the new ones hold everything, proven by exact counts, and who
 * finds this run cut off goes forward only. `noWayBack` is shell text that notes that.
 */
export async function fillUpgraded(
  tools: Tools,
  upgrades: readonly PlannedUpgrade[],
  { dumps, noWayBack }: { readonly dumps: ReadonlyMap<string, ServiceBackup>; readonly noWayBack: Command },
): Promise<void> {
  for (const { one } of upgrades) {
    const dump = dumps.get(one.service.name)
    const [now] = await refresh(tools, [one])
    if (!dump || !now?.driver.restoreFresh)
      throw failure("cannot-upgrade", `${one.service.name} cannot be filled from a dump`)
    const { rows, caveat } = await now.driver.restoreFresh(now.service, containerOf(now), dump, tools.work)
    tools.log.info(`${one.service.name}: ${rows} rows, each table as it was`)
    if (caveat !== undefined) tools.log.warning(`${one.service.name}: ${caveat}`)
  }
  await tools.work.step("end-upgrade", change`${noWayBack} || exit\n${forgetUpgrades(tools.layout)}`)
}

/** Takes the dumps away, which are no backup: the old directories are kept. */
export async function discardDumps(tools: Tools, dumps: ReadonlyMap<string, ServiceBackup>): Promise<void> {
  if (dumps.size === 0 || tools.signal.aborted) return
  const id = backupId(tools.clock.now())
  await localStore(tools.stores).discard({ id, services: [...dumps.values()] }, tools.work)
}

async function dumpAlone(tools: Tools, { one }: PlannedUpgrade): Promise<ServiceBackup> {
  const { work, stack } = tools
  await assertSoleServer(tools, one)
  const { name } = one.service
  const old = containerOf(one)
  await work.step(`isolate-${name}`, lines(isolate(old), stack.start([old])))
  const alone = await work.check(
    `wait-alone-${name}`,
    async () => {
      await waitHealthy(tools, [one.definition], { containers: [old.id] })
      const found = (await stack.containers(name)).find(({ id }) => id === old.id)
      if (!found || found.networks.some((network) => network.name !== "none"))
        throw failure("not-isolated", `${name} is not alone: others could write while it is dumped`)
      return found
    },
    old,
  )
  const { databases: _all, ...config } = one.service.config
  const target = await noteDump(tools, name)
  const dump = await one.driver.backup?.({ ...one.service, config }, alone, target, work)
  await one.driver.stop?.(one.service, alone, work)
  if (dump) return dump
  throw failure("cannot-upgrade", `services of kind ${one.service.kind} cannot be dumped`)
}

/** A stopped container that is in no network at its next start; recreating it brings the networks back. */
function isolate({ id, networks }: Container): Command {
  const names = networks.map((one) => one.name).filter((name) => name !== "none")
  const leave = names.map((name) => change`docker network disconnect ${name} ${id}`)
  return lines(sh`set -e`, ...leave, ...(names.length > 0 ? [change`docker network connect none ${id}`] : []))
}

async function directoryBehind(tools: Tools, one: StackService, { directory }: Upgrade): Promise<string> {
  const mount = containerOf(one)
    .mounts.filter((one) => covers(one, directory))
    .toSorted((a, b) => b.target.length - a.target.length)[0]
  if (mount && mount.type !== "tmpfs") return directoryOf(mount, await tools.stack.definition()).replace(/\/+$/, "")
  throw refusal("no-persistent-volume", `${one.service.name} keeps its data in ${directory}, which is on no volume`)
}

/** Old and new lie side by side, and the dump besides; the dump and the restore look again for themselves. */
async function assertRoom(
  { host, layout }: Tools,
  directory: string,
  { bytes, from, to, dump }: Upgrade & { readonly dump: number },
): Promise<void> {
  const { stdout } = await host.run(
    sh`for at in ${[directory, layout.backups]}; do until [ -d "$at" ]; do at=$(dirname "$at"); done; df -P -B1 "$at" | sed -n '2s/  */ /gp' | cut -d' ' -f2,4; done`,
  )
  const [data, backups] = [0, 1].map((at) => {
    const [size = Number.NaN, free = Number.NaN] = stdout.split("\n")[at]?.split(" ").map(Number) ?? []
    return { size, free }
  }) as [Disk, Disk]
  const what = `going from ${from} to ${to}`
  const stored = { where: layout.backups, disk: backups }
  const [refused] = [
    ...lackOfRoom(
      [
        { where: directory, disk: data, takes: bytes },
        { ...stored, takes: dump },
      ],
      what,
    ),
    // What the dump asks for, for nobody knows before how small it gets.
    ...lackOfRoom([{ ...stored, takes: bytes }], what),
  ]
  if (refused !== undefined)
    throw refusal("disk-space", refused, {
      hint: "Make room, or put the data on a larger disk first. Nothing was changed.",
    })
}
