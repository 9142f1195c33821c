import { messageOf } from "../../core/errors.ts"
import { imageOf, type PinnedImage } from "../../docker/image.ts"
import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import { isOurs } from "../is-ours.ts"
import type { Tools } from "../tools.ts"
import { copiesOf, removeCopies } from "./copies.ts"
import { assertAnswers } from "./health-url.ts"
import { whyAlone } from "./in-place.ts"
import { keepImages, recordGood } from "./keep-release.ts"
import { releaseImages } from "./pinned-images.ts"
import { drain, findProxy, switchProxy } from "./proxy.ts"
import { forgetUnfinished, readUnfinished, type UnfinishedNote } from "./unfinished-note.ts"

/**
 * Ends what an interrupted deployment left: two sets of copies. When requests already go to the new ones and they answer
 * well (without a proxy: when the old ones began to be stopped), the old ones are drained and removed and the release is
 * recorded as good; otherwise the new ones are removed. Either way one set is left, and the action at hand goes on from there.
 */
export async function settleUnfinished(tools: Tools, services: readonly ServiceDefinition[]): Promise<void> {
  const note = await readUnfinished(tools)
  if (!note) return
  // A service that was replaced in its place has one set anyway.
  const beside = services.filter((one) => whyAlone(one) === undefined)
  const copies = await copiesOf(tools, beside)
  const old = copies.filter((one) => note.old.includes(one.id))
  const fresh = copies.filter((one) => !note.old.includes(one.id))
  tools.log.warning(
    `Release ${note.release} was interrupted: ${old.length} old and ${fresh.length} new containers are there`,
  )
  const names = beside.map((one) => one.name)
  const sets = { release: note.release, old, fresh }
  if (fresh.length > 0 && (await tookOver(tools, names, { note, old, fresh }))) {
    if (old.length > 0) await goForward(tools, names, sets)
    if (names.every((name) => fresh.some((one) => one.service === name && isServing(one)))) {
      await keepSettled(tools, note, await copiesOf(tools, services))
      tools.log.warning(`Release ${note.release} serves: its deployment was finished`)
      return
    }
  } else if (old.length > 0 && fresh.length > 0) {
    await goBack(tools, names, sets)
    tools.log.warning(`Release ${note.release} was taken back: what ran before it serves`)
  }
  await tools.work.step("settle-release", forgetUnfinished(tools.layout))
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

async function tookOver(
  tools: Tools,
  names: readonly string[],
  { note, old, fresh }: Sets & { readonly note: UnfinishedNote },
): Promise<boolean> {
  if (!old.some(isServing)) return true
  if (!fresh.every(isServing)) return false
  const proxy = await findProxy(tools, names)
  if (proxy) return fresh.some((one) => proxy.now.targets.includes(one.name)) && (await answersWell(tools))
  return note.old.some((id) => !old.some((one) => one.id === id && isServing(one)))
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

async function goForward(tools: Tools, names: readonly string[], sets: Sets & { readonly release: string }) {
  const { release, old, fresh } = sets
  const proxy = await findProxy(tools, names)
  const proxied = fresh.filter((one) => one.service === proxy?.service)
  if (proxy && proxied.length > 0) {
    // Once more: the file may have been renamed and nginx not told.
    await switchProxy(tools, proxy, proxied, { step: "settle-proxy", release })
    await drain(tools, proxy, old, "drain-leftovers")
  }
  await removeCopies(tools, old, { stop: "stop-leftovers", remove: "remove-leftovers" })
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
