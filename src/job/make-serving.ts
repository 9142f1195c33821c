import { AppError, failure, messageOf, refusal } from "../core/errors.ts"
import { setAsideNoted } from "./aside.ts"
import { nameCause } from "./debug/causes.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import { hostNow } from "./host-now.ts"
import { isOurs } from "./is-ours.ts"
import { covers, directoryOf } from "./keep-volumes.ts"
import { noWayBack } from "./restore-note.ts"
import { besidePaths, putAsideBack } from "./set-aside.ts"
import { containerOf, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/**
 * Gets a database server to answer so that a backup can be restored into it. One that answers is left alone, whatever its
 * health check says. Only one that has ended and whose log says that it cannot read its data gets an empty directory; the
 * unreadable data is moved aside under a dated name and stays (S2): gives that place. Throws, with the data where it was,
 * when it does not serve for any other reason.
 */
export async function makeServing(tools: Tools, one: StackService, id: string): Promise<string | undefined> {
  if (await answers(one)) return undefined
  const problem = await start(tools, one)
  if (problem === undefined) return undefined
  const [now] = await refresh(tools, [one])
  if (!now?.container || (await answers(now))) {
    if (now?.container) return undefined
    throw failure("not-healthy", `${one.service.name} could not be created: ${problem}`)
  }
  tools.log.warning(`${one.service.name} does not serve with the data it has: ${problem}`)
  tools.log.warning(`Its log says: ${await proveUnreadable(tools, now, problem)}`)
  return startEmpty(tools, now, id)
}

/** Whether its driver reaches the server: a health check may be late, or look at something else. */
async function answers({ container, driver, service }: StackService): Promise<boolean> {
  if (container?.state !== "running" || !driver.fingerprint) return false
  try {
    await driver.fingerprint(service, container)
    return true
  } catch (error) {
    // Only a service's own failure is an answer; what the host or the engine says is not about the data.
    if (!(error instanceof AppError) || isElsewhere(error)) throw error
    return false
  }
}

/** Starts, or first creates, the service; why it is not healthy, undefined when it is. */
async function start(tools: Tools, one: StackService): Promise<string | undefined> {
  await assertSoleServer(tools, one)
  await tools.work.step("start-service", tools.stack.up([one.service.name], { noRecreate: true, noDependencies: true }))
  try {
    await tools.work.check("wait-service", () => waitHealthy(tools, [one.definition]), undefined)
    return undefined
  } catch (error) {
    if (!isOurs(tools, error) || !(error instanceof AppError) || isElsewhere(error)) throw error
    return messageOf(error)
  }
}

function isElsewhere({ code }: AppError): boolean {
  return /^(host|engine|docker|compose)-/.test(code)
}

/** The line of its log that proves that the data cannot be read. Throws `not-serving` when nothing does: then the data is not to be touched. */
export async function proveUnreadable(tools: Tools, one: StackService, problem: string): Promise<string> {
  const container = containerOf(one)
  const log = await tools.stack.logs(container, 50)
  const { cause, details } = nameCause({ container, checks: [], log, restartLimit: 0 })
  // An image of another major is not the data's fault.
  if (cause === "data-unreadable" && !/incompatible with server/.test(details)) return details
  throw failure("not-serving", `${problem}; nothing says that its data is unreadable (${cause}: ${details})`, {
    hint: `${one.service.name} keeps its data. Mend what keeps it from serving and run this again; only data that its log calls unreadable gives way.`,
  })
}

async function startEmpty(tools: Tools, one: StackService, id: string): Promise<string> {
  const container = containerOf(one)
  const { name } = one.service
  await tools.work.step("stop-unreadable", tools.stack.stop([container]))
  const directory = await dataDirectory(tools, one)
  const now = await hostNow(tools)
  const { aside, failed } = besidePaths(directory, { id, now })
  const place = { imageId: container.imageId, directory, aside }
  const note = { service: name, directory, aside, failed, at: now.toISOString() }
  await noWayBack(tools)
  await tools.work.step("set-data-aside", setAsideNoted(tools.layout, container.imageId, note))
  tools.log.warning(`What ${name} cannot read is kept in ${place.aside}`)
  const problem = await start(tools, one)
  if (problem === undefined) return place.aside
  await tools.work.step("stop-empty", tools.stack.stop([container]))
  await tools.work.step("put-data-back", putAsideBack(place, failed))
  throw failure("not-healthy", `${name} does not start with an empty directory either: ${problem}`, {
    hint: `Its data is in ${directory} again; what the empty start left is in ${failed}.`,
  })
}

/** On the host: of all that is mounted, only the one place where the server keeps its data. */
async function dataDirectory(tools: Tools, one: StackService): Promise<string> {
  const container = containerOf(one)
  const inside = await one.driver.dataDirectory?.(one.service, container, one.definition)
  const [mount] = container.mounts
    .filter((one) => inside !== undefined && covers(one, inside))
    .toSorted((a, b) => b.target.length - a.target.length)
  if (inside !== undefined && mount?.writable && mount.type !== "tmpfs")
    return directoryOf(mount, await tools.stack.definition()).replace(/\/+$/, "")
  throw refusal("no-persistent-volume", `${one.service.name} keeps its data in ${inside}, which is on no volume`)
}
