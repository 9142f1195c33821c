import { type CutDeployment, settlementOf } from "../../core/deploy-settlement.ts"
import { messageOf } from "../../core/errors.ts"
import { imageOf, type PinnedImage } from "../../docker/image.ts"
import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import { isOurs } from "../is-ours.ts"
import type { Tools } from "../tools.ts"
import { copiesOf, removeCopies } from "./copies.ts"
import { assertAnswers } from "./health-url.ts"
import { imagesInPlace, putBackInPlace, whyAlone } from "./in-place.ts"
import { keepImages, recordGood } from "./keep-release.ts"
import { releaseImages } from "./pinned-images.ts"
import { drain, findProxy, switchProxy } from "./proxy.ts"
import { forgetUnfinished, readUnfinished, type UnfinishedNote } from "./unfinished-note.ts"

/**
 * Ends what an interrupted deployment left: two sets of copies. When requests already go to the new ones and they answer
 * well (without a proxy: when the old ones began to be stopped), the old ones are drained and removed and the release is
 * recorded as good; otherwise the new ones are removed, and what was replaced in its place is put back. Either way one set
 * is left, and the action at hand goes on from there. A set is removed only while the other one serves: where neither does,
 * both stay, and the note, which is given.
 */
export async function settleUnfinished(
  tools: Tools,
  services: readonly ServiceDefinition[],
): Promise<UnfinishedNote | undefined> {
  const note = await readUnfinished(tools)
  if (!note) return undefined
  const all = await copiesOf(tools, services)
  // A service that was replaced in its place has one set anyway.
  const names = services.filter((one) => whyAlone(one) === undefined).map((one) => one.name)
  const copies = all.filter((one) => names.includes(one.service))
  const old = copies.filter((one) => note.old.includes(one.id))
  const fresh = copies.filter((one) => !note.old.includes(one.id))
  tools.log.warning(
    `Release ${note.release} was interrupted: ${old.length} old and ${fresh.length} new containers are there`,
  )
  const sets = { release: note.release, old, fresh }
  let settlement = settlementOf(await facts(tools, names, { ...sets, oldComplete: isComplete(note, all) }))
  if (settlement === "forward" && !(await goForward(tools, names, sets))) settlement = "undecided"
  if (settlement === "undecided") {
    tools.log.warning(undecided(note, sets))
    return note
  }
  if (settlement !== "back" && fresh.length > 0 && names.every((name) => servesOne(fresh, name))) {
    await keepSettled(tools, note, await copiesOf(tools, services))
    tools.log.warning(`Release ${note.release} serves: its deployment was finished`)
    return undefined
  }
  if (settlement === "back") {
    // First: as long as there are two sets, a run that dies here is taken back by the next one.
    await putBackReplaced(tools, services, note)
    await goBack(tools, names, sets)
    tools.log.warning(`Release ${note.release} was taken back: what ran before it serves`)
  }
  await tools.work.step("settle-release", forgetUnfinished(tools.layout))
  return undefined
}

function isComplete(note: UnfinishedNote, all: readonly Container[]): boolean {
  return note.old.every((id) => all.some((one) => one.id === id))
}

function servesOne(copies: readonly Container[], name: string): boolean {
  return copies.some((one) => one.service === name && isServing(one))
}

function undecided({ release }: UnfinishedNote, { old, fresh }: Sets): string {
  const stateOf = ({ name, state, health }: Container) => `${name} (${health ?? state})`
  return [
    `Neither release ${release} serves, which was interrupted, nor what ran before it: nothing of either is removed.`,
    `Old: ${old.map(stateOf).join(", ")}. New: ${fresh.map(stateOf).join(", ")}.`,
    "The next run that changes the host looks again; a deployment that serves replaces both.",
  ].join(" ")
}

/** Those that the interrupted deployment had come to: the others run what they ran before. */
async function putBackReplaced(
  tools: Tools,
  services: readonly ServiceDefinition[],
  { inPlace }: UnfinishedNote,
): Promise<void> {
  const noted = services.filter(({ name }) => name in inPlace)
  const now = imagesInPlace(noted, await copiesOf(tools, noted))
  await putBackInPlace(
    tools,
    noted.filter(({ name }) => now[name] !== inPlace[name]),
    inPlace,
  )
}

/**
 * The same for the actions that deploy nothing: whatever comes next ends an interrupted deployment. What cannot be ended
 * is told, and the note of it stays: the action at hand may be the cure.
 */
export async function settleDeployment(tools: Tools): Promise<void> {
  if (!(await readUnfinished(tools))) return
  const services = (await tools.stack.servicesOf("app")).filter((one) => !one.oneShot)
  try {
    await tools.log.group("ending an interrupted deployment", () => settleUnfinished(tools, services))
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    tools.log.warning(`An interrupted deployment could not be ended, the next one goes on with it: ${messageOf(error)}`)
  }
}

async function keepSettled(tools: Tools, note: UnfinishedNote, serving: readonly Container[]): Promise<void> {
  const images = new Map<string, PinnedImage>()
  for (const one of serving) images.set(one.service, await imageOf(tools.host, one))
  const release = { id: note.release, commit: note.commit }
  await keepImages(tools, { release, images })
  await recordGood(tools, { release, images: releaseImages(images) })
}

interface Sets {
  readonly old: readonly Container[]
  readonly fresh: readonly Container[]
}

async function facts(
  tools: Tools,
  services: readonly string[],
  { old, fresh, oldComplete }: Sets & Pick<CutDeployment, "oldComplete">,
): Promise<CutDeployment> {
  const told = (copies: readonly Container[]) => copies.map((one) => ({ service: one.service, serves: isServing(one) }))
  const sets = { services, old: told(old), fresh: told(fresh), oldComplete }
  if (old.length === 0 || !fresh.every(isServing)) return { ...sets, tookOver: false, answersWrong: false }
  const proxy = await findProxy(tools, services)
  if (!proxy) return { ...sets, tookOver: !oldComplete || !old.every(isServing), answersWrong: false }
  const switched = fresh.some((one) => proxy.now.targets.includes(one.name))
  const well = switched && (await answersWell(tools))
  return { ...sets, tookOver: well, answersWrong: switched && !well }
}

/** The way back is still there: the last look before the old copies go must be the one that a deployment takes. */
async function answersWell(tools: Tools): Promise<boolean> {
  try {
    await assertAnswers(tools)
    return true
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    tools.log.warning(`The interrupted release does not answer well: ${messageOf(error)}`)
    return false
  }
}

/** Whether the old copies were removed: not when requests that only now go to the new ones are answered wrong. */
async function goForward(
  tools: Tools,
  names: readonly string[],
  sets: Sets & { readonly release: string },
): Promise<boolean> {
  const { release, old, fresh } = sets
  const proxy = await findProxy(tools, names)
  const proxied = fresh.filter((one) => one.service === proxy?.service)
  if (proxy && proxied.length > 0) {
    // Once more: the file may have been renamed and nginx not told.
    await switchProxy(tools, proxy, proxied, { step: "settle-proxy", release })
    if (!(await answersWell(tools))) return false
    await drain(tools, proxy, old, "drain-leftovers")
  }
  await removeCopies(tools, old, { stop: "stop-leftovers", remove: "remove-leftovers" })
  return true
}

async function goBack(tools: Tools, names: readonly string[], sets: Sets & { readonly release: string }) {
  const { release, old, fresh } = sets
  const proxy = await findProxy(tools, names)
  const proxied = old.filter((one) => one.service === proxy?.service && isServing(one))
  if (proxy && proxied.length > 0) {
    await switchProxy(tools, proxy, proxied, { step: "settle-proxy", release })
    await drain(tools, proxy, fresh, "drain-leftovers")
  }
  await removeCopies(tools, fresh, { stop: "stop-leftovers", remove: "remove-leftovers" })
}

export function isServing({ state, health = "healthy" }: Container): boolean {
  return state === "running" && health === "healthy"
}
