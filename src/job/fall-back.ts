import { failure, messageOf } from "../core/errors.ts"
import type { Fingerprint, FingerprintDifference } from "../core/fingerprint.ts"
import type { Manifest } from "../core/manifest.ts"
import type { Command } from "../shell/command.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import type { PutBack } from "./install-definition.ts"
import { hasLost, isKeyStore, isWhole } from "./lost-data.ts"
import { makeServing } from "./make-serving.ts"
import type { Rung } from "./recreate-result.ts"
import { warnOf } from "./restore-service.ts"
import { putDataBack } from "./settle-upgrade.ts"
import { containerOf, definitions, holdsData, names, type StackService } from "./stack-services.ts"
import { comparedOnce, type NotStarted, tryCompared } from "./start-compared.ts"
import { killStores, type Stopped, stopContainers, stoppedWith, stopRest } from "./stop-new.ts"
import { readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import type { PlannedUpgrade } from "./upgrade-data.ts"
import { forgetUpgrades, writeUpgrades } from "./upgrade-note.ts"
import { waitHealthy } from "./wait-healthy.ts"

/** All that a replacement needs to go forward, and back. */
export interface Replacement {
  /** With their containers from before. */
  readonly services: readonly StackService[]
  readonly manifest: Manifest
  readonly upgrades: readonly PlannedUpgrade[]
  readonly putBack: PutBack
}

/** What serves after the way back. */
export interface FellBack {
  readonly rung: Rung
  /** Where data that gave way is kept. */
  readonly kept: readonly string[]
  /** Of what was restored. */
  readonly differences: readonly FingerprintDifference[]
}

/**
 * The way back from new containers that do not serve the same data, rung by rung, each proven: the previous images and
 * definition on the same data, or on the directory that an upgrade had set aside; where that does not serve either, the
 * backup of this run, for those services alone whose data is proven to be lost. Throws when no rung holds.
 */
export async function fallBack(tools: Tools, replacement: Replacement, stopped: Stopped): Promise<FellBack> {
  const { services, upgrades, putBack } = replacement
  const known = services.filter((one) => one.container)
  const images = Object.fromEntries(known.map((one) => [one.service.name, containerOf(one).imageId]))
  const notes = upgrades.map(({ note }) => note)
  const before = await stoppedWith(tools, known, { ...stopped, except: notes.map(({ service }) => service) })
  const gaveWay: string[] = []
  const failed = await backToPrevious(tools, {
    ...{ services, images, before, proven: stopped.proven },
    putBack: async () => {
      if (notes.length > 0) {
        // They may be gone: the upgrade can have ended well before something else failed.
        await tools.work.step("note-way-back", writeUpgrades(tools.layout, notes))
        gaveWay.push(...(await putDataBack(tools, notes)))
      }
      await putBack()
    },
  })
  if (notes.length > 0) await tools.work.step("end-upgrade", forgetUpgrades(tools.layout))
  if (!failed) return { rung: notes.length > 0 ? "previous-data" : "previous-images", kept: gaveWay, differences: [] }
  tools.log.warning(`The previous images do not serve either: ${messageOf(failed.error)}`)
  const restored = await restoreLost(tools, replacement, { before, dumps: stopped.dumps, failed })
  await startRest(tools, known, images)
  const rung = restored.length > 0 ? "backup" : notes.length > 0 ? "previous-data" : "previous-images"
  const kept = [...gaveWay, ...restored.map((one) => one.kept)]
  return { rung, kept, differences: restored.map((one) => one.difference) }
}

/**
 * Restores what has lost its data. Nothing where the previous servers were just proven to hold the same, and something
 * else does not serve: the rest was started on it and writes, so it cannot be compared with what it was any more.
 */
async function restoreLost(
  tools: Tools,
  replacement: Replacement,
  { before, dumps, failed }: Pick<Stopped, "before" | "dumps"> & { readonly failed: NotStarted },
): Promise<readonly Restored[]> {
  if (failed.proven) {
    tools.log.warning("The data is the same on them, so nothing is restored")
    return []
  }
  tools.log.warning("What has lost its data is restored")
  return restoreBroken(tools, replacement, { before, dumps })
}

/** What was there before new containers. */
export interface Previous {
  /** All that were to be replaced; those without an image in `images` came with the new definition. */
  readonly services: readonly StackService[]
  /** Image id by service. */
  readonly images: Readonly<Record<string, string>>
  readonly before: readonly Fingerprint[]
  /** As of `Stopped`. */
  readonly proven: boolean
  readonly putBack: PutBack
}

/** The first rung: the previous images and definition on the data that is there, compared; why it does not hold, undefined when it does. */
export async function backToPrevious(tools: Tools, previous: Previous): Promise<NotStarted | undefined> {
  const { services, images, before, proven } = previous
  const known = services.filter((one) => one.service.name in images)
  await stopRest(tools, services)
  // Where it is not known what a store held, it was not stopped, or it is an earlier run that had compared it.
  const unproven = proven ? [] : before.map(({ service }) => service)
  await killStores(tools, known, async (one) => {
    const { name } = one.service
    const isOther = one.container?.imageId !== images[name]
    return (isOther && unproven.includes(name)) || !(await isWhole(one, before))
  })
  await stopContainers(
    tools,
    "stop-added",
    services.filter((one) => !known.includes(one)),
  )
  await previous.putBack()
  return tryCompared(tools, {
    ...{ services: known, before },
    step: { start: "put-images-back", wait: "wait-previous", compare: "fingerprint-previous" },
    ...comparedOnce(tools, await readStoppedApp(tools), (names) => upPrevious(tools, names, images)),
  })
}

function upPrevious({ stack }: Tools, services: readonly string[], images: Previous["images"]): Command {
  const own = Object.fromEntries(Object.entries(images).filter(([name]) => services.includes(name)))
  return stack.up(services, { forceRecreate: true, noDependencies: true, pull: "never", images: own })
}

/** After a restore, too, everything runs that ran before. */
async function startRest(tools: Tools, known: readonly StackService[], images: Previous["images"]): Promise<void> {
  const rest = known.filter((one) => !holdsData(one))
  if (rest.length > 0) await tools.work.step("start-rest", upPrevious(tools, names(rest), images))
  await tools.work.check("wait-restored", () => waitHealthy(tools, definitions(known)), undefined)
}

/** What was restored of a service. */
export interface Restored {
  /** Where what it held instead is, in sentences. */
  readonly kept: string
  readonly difference: FingerprintDifference
}

/** Restores those data services that do not serve what they held; the others are left alone. */
export async function restoreBroken(
  tools: Tools,
  { services, manifest }: Pick<Replacement, "services" | "manifest">,
  { before, dumps }: Pick<Stopped, "before" | "dumps">,
): Promise<readonly Restored[]> {
  const data = await refresh(
    tools,
    services.filter((one) => one.container && holdsData(one)),
  )
  const lost: string[] = []
  for (const one of data) if (isKeyStore(one) && (await hasLost(tools, one, before))) lost.push(one.service.name)
  await killStores(tools, data, async ({ service }) => lost.includes(service.name))
  const restored: Restored[] = []
  for (const one of await refresh(tools, data)) {
    const { name } = one.service
    if (isKeyStore(one) ? !lost.includes(name) : await isWhole(one, before)) continue
    const dump = isKeyStore(one) ? dumps?.get(name) : undefined
    const held = dump ?? manifest.services.find(({ service }) => service === name)
    if (!held || !one.driver.restore) throw failure("cannot-restore", `${name} cannot be restored`)
    await assertSoleServer(tools, one)
    // A store of keys is restored while it is stopped; a database needs a server, whose unreadable data gives way.
    const aside = isKeyStore(one) ? undefined : await makeServing(tools, one, manifest.id)
    const [now = one] = await refresh(tools, [one])
    // One that was only late has lost nothing.
    if (!isKeyStore(one) && aside === undefined && (await isWhole(now, before))) continue
    const report = await one.driver.restore(one.service, containerOf(now), held, tools.work)
    warnOf(tools, name, report)
    const [was, is] = dump
      ? ["as the new containers left it", "as it was stopped"]
      : ["as it was stopped", `as it was at ${manifest.created}`]
    const unread = aside === undefined ? "" : ` What it could not read is in ${aside}.`
    restored.push({
      kept: `${name} was restored ${is}; what was written after that is kept. ${report.kept}${unread}`,
      difference: { service: name, fact: "restored", before: was, after: is },
    })
  }
  return restored
}
