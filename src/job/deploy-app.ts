import { AppError, inputError, messageOf, refusal } from "../core/errors.ts"
import { currentRelease, type Release, type ReleaseImage, releaseId } from "../core/release.ts"
import type { Container, ServiceDefinition } from "../docker/stack.ts"
import { HostError } from "../host/host.ts"
import { copiesOf, removeCopies, startBeside, waitForCopies } from "./deploy-app/copies.ts"
import { assertAnswers } from "./deploy-app/health-url.ts"
import { imagesInPlace, putBackInPlace, replaceInPlace, whyAlone } from "./deploy-app/in-place.ts"
import { keepImages, recordBad, recordGood } from "./deploy-app/keep-release.ts"
import { type PinnedImages, pinImages, pinnedOf, releaseImages } from "./deploy-app/pinned-images.ts"
import { drain, type FrontProxy, findProxy, sendsTo, switchProxy } from "./deploy-app/proxy.ts"
import { isServing, settleUnfinished } from "./deploy-app/settle-unfinished.ts"
import type { UnfinishedNote } from "./deploy-app/unfinished-note.ts"
import { isOurs } from "./is-ours.ts"
import { refuseWhileOccupied } from "./occupied.ts"
import { readHistory } from "./release-history.ts"
import { servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { assertNotWaiting } from "./writers.ts"

export interface DeployOptions {
  /** Image by service; what the compose files say unless told. */
  readonly images?: Readonly<Record<string, string>> | undefined
  /** Made from the time and the commit unless told. */
  readonly releaseId?: string | undefined
  /** The commit that the images were built from; the run's unless told. */
  readonly commit?: string | undefined
  /** Go on although people are connected to a service that is replaced. */
  readonly endSessions?: boolean | undefined
}

export interface DeployResult {
  /** `unchanged`: these images run already, in this configuration; nothing was restarted. */
  readonly status: "success" | "unchanged"
  readonly releaseId: string
  /** The release that ran before; empty on a first deployment. */
  readonly previousReleaseId: string
  readonly images: readonly ReleaseImage[]
  /** Services that were replaced with an interruption, because two copies of them cannot run side by side. */
  readonly interrupted: readonly string[]
}

/** What a deployment works with, once nothing more can be refused. */
interface Plan {
  readonly release: Pick<Release, "id" | "commit">
  readonly services: readonly ServiceDefinition[]
  readonly images: PinnedImages
  readonly proxy: FrontProxy | undefined
  readonly old: readonly Container[]
  /** Services of which two copies can run side by side, and those of which they cannot. */
  readonly beside: readonly ServiceDefinition[]
  readonly inPlace: readonly ServiceDefinition[]
  /** Of an earlier deployment, when neither its copies serve nor those before it: all of them are old to this one. */
  readonly unsettled: UnfinishedNote | undefined
}

/**
 * Replaces the app's services, all or none, without a lost request where a proxy stands in front: new copies beside the
 * old, healthy first, then nginx switched, the old ones drained, stopped and removed by id. New ones that do not get healthy
 * are removed and the old never stopped. Refuses (`restore-first`) while the app waits for a restore. The release and its commit are recorded on the host, a bad one as bad.
 */
export async function deployApp(tools: Tools, options: DeployOptions = {}): Promise<DeployResult> {
  await assertNotWaiting(tools)
  const services = await rolledServices(tools)
  const history = await readHistory(tools)
  const previousReleaseId = currentRelease(history)?.id ?? ""
  const images = await pinImages(tools, services, options.images ?? {})
  await findProxy(
    tools,
    services.map((one) => one.name),
  )
  const unsettled = await settleUnfinished(tools, services)
  const plan = { ...(await makePlan(tools, services, { images, options })), unsettled }
  const unchanged = await runsAlready(tools, plan)
  if (unchanged) tools.log.info("These images run already, in this configuration: nothing is restarted")
  else {
    if (!options.endSessions) await refuseWhileOccupied(tools, await servicesOf(tools, "app"))
    await attempt(tools, plan)
  }
  await keepImages(tools, { release: plan.release, images })
  await recordGood(tools, { release: plan.release, images: releaseImages(images) })
  return {
    status: unchanged ? "unchanged" : "success",
    releaseId: plan.release.id,
    previousReleaseId,
    images: releaseImages(images),
    interrupted: unchanged ? [] : plan.inPlace.map((one) => one.name),
  }
}

async function rolledServices(tools: Tools): Promise<readonly ServiceDefinition[]> {
  const all = await tools.stack.servicesOf("app")
  const services = all.filter((one) => !one.oneShot)
  if (services.length === 0) {
    throw inputError("no-app-services", "the compose files have no service of the app", {
      hint: `Give the app's services the profile \`${tools.config.compose.profiles.app}\`, or name them in \`app.services\`.`,
    })
  }
  for (const one of all.filter((service) => service.oneShot)) {
    tools.log.warning(`${one.name} runs to its end and is not started by a deployment`)
  }
  return services
}

async function makePlan(
  tools: Tools,
  services: readonly ServiceDefinition[],
  { images, options }: { readonly images: PinnedImages; readonly options: DeployOptions },
): Promise<Omit<Plan, "unsettled">> {
  const commit = options.commit ?? tools.run.sha
  const names = services.map((one) => one.name)
  const [proxy, old] = await Promise.all([findProxy(tools, names), copiesOf(tools, services)])
  const inPlace = services.filter((one) => whyAlone(one) !== undefined)
  const [alone] = inPlace
  if (proxy && alone) {
    throw refusal("cannot-roll", `two copies of ${alone.name} cannot run side by side: ${whyAlone(alone)}`, {
      hint: "Take it out of the compose file (the proxy reaches the service by its container's name), or remove `app.proxy` to accept an interruption.",
    })
  }
  return {
    release: { id: options.releaseId ?? releaseId(tools.clock.now(), commit), commit },
    services,
    images,
    proxy,
    old,
    beside: services.filter((one) => !inPlace.includes(one)),
    inPlace,
  }
}

/** Whether exactly the wanted copies run, healthy, of these images, and compose would change nothing about them. */
async function runsAlready(tools: Tools, { services, images, old, proxy }: Plan): Promise<boolean> {
  const complete = services.every(({ name, replicas }) => {
    const copies = old.filter((one) => one.service === name)
    const wanted = pinnedOf(images, name).id
    const same = copies.every((one) => isServing(one) && one.imageId === wanted && one.image === copies[0]?.image)
    return copies.length === replicas && same
  })
  if (!complete || (proxy && !proxied(old, proxy).every((one) => reaches(proxy, one)))) return false
  // By the references that they were started with: another name of the same image is no reason to restart.
  const started = Object.fromEntries(old.map((one) => [one.service, one.image]))
  const names = Object.keys(started)
  const plans = await Promise.all([
    tools.stack.plan(names, { images: started, noDependencies: true }),
    tools.stack.plan(names, { images: started }),
  ])
  return services.every(({ name }) =>
    plans.some((actions) => actions.some((one) => one.service === name && one.action === "keep")),
  )
}

/** By its own name, or by its service's, which stands for every copy. */
function reaches({ now, service }: FrontProxy, copy: Container): boolean {
  return now.targets.includes(copy.name) || now.targets.includes(service)
}

function proxied(copies: readonly Container[], proxy: FrontProxy): readonly Container[] {
  return copies.filter((one) => one.service === proxy.service)
}

/** Everything that has to be undone when the deployment fails, filled as it goes on. */
interface Progress {
  fresh: readonly Container[]
  switched: boolean
  replaced: readonly ServiceDefinition[]
}

async function attempt(tools: Tools, plan: Plan): Promise<void> {
  const progress: Progress = { fresh: [], switched: false, replaced: [] }
  try {
    await bringUp(tools, plan, progress)
  } catch (error) {
    // Whoever is cancelled, cut off or fenced leaves the rest to the next run, which settles it.
    if (!isOurs(tools, error) || !(error instanceof AppError)) throw error
    tools.log.warning(`Release ${plan.release.id} does not serve: ${messageOf(error)}`)
    if (!(await undone(tools, plan, progress))) throw error
    const { release, unsettled } = plan
    await recordBad(tools, { release, images: releaseImages(plan.images), why: messageOf(error), unsettled })
    throw error
  }
  if (plan.proxy) await drain(tools, plan.proxy, plan.old, "drain-old")
  const gone = plan.old.filter((one) => plan.beside.some((service) => service.name === one.service))
  await removeCopies(tools, gone, { stop: "stop-old", remove: "remove-old" })
}

/** Up to the point where the new copies serve and the old ones could still take over again. */
async function bringUp(tools: Tools, plan: Plan, progress: Progress): Promise<void> {
  const { beside, images, inPlace, old, proxy, release } = plan
  if (proxy) await pinProxy(tools, proxy, plan)
  const existing = old.filter((one) => beside.some((service) => service.name === one.service))
  try {
    progress.fresh = await startBeside(tools, beside, {
      ...{ images, old: existing, release },
      inPlace: imagesInPlace(inPlace, old),
    })
  } catch (error) {
    // Compose may have made some of them before it failed.
    if (error instanceof AppError && !(error instanceof HostError)) {
      progress.fresh = (await copiesOf(tools, beside)).filter((one) => !old.some(({ id }) => id === one.id))
    }
    throw error
  }
  await waitForCopies(tools, beside, { images, copies: progress.fresh, step: "wait-new" })
  for (const service of inPlace) {
    progress.replaced = [...progress.replaced, service]
    await replaceInPlace(tools, service, images)
  }
  if (proxy) {
    await switchProxy(tools, proxy, proxied(progress.fresh, proxy), { step: "switch-proxy", release: release.id })
    progress.switched = true
  }
  await assertAnswers(tools)
}

/** A service's name stands for all of its copies, also for one that is not ready: requests go to the old ones by name first. */
async function pinProxy(tools: Tools, proxy: FrontProxy, { old, release }: Plan): Promise<void> {
  const serving = proxied(old, proxy).filter(isServing)
  if (serving.length === 0 || sendsTo(proxy, serving)) return
  await switchProxy(tools, proxy, serving, { step: "pin-proxy", release: release.id })
}

/** Whether everything is as it was. When it is not, the note of the unfinished deployment stays, and the next run settles it. */
async function undone(tools: Tools, plan: Plan, progress: Progress): Promise<boolean> {
  try {
    await undo(tools, plan, progress)
    return true
  } catch (error) {
    tools.log.warning(
      `The previous state could not be put back wholly, the next run goes on with it: ${messageOf(error)}`,
    )
    return false
  }
}

/** Back to the old copies, which were never stopped. */
async function undo(tools: Tools, plan: Plan, { fresh, switched, replaced }: Progress): Promise<void> {
  const { old, proxy, release } = plan
  const serving = proxy ? proxied(old, proxy).filter(isServing) : []
  if (proxy && switched && serving.length > 0) {
    await switchProxy(tools, proxy, serving, { step: "switch-back", release: release.id })
    await drain(tools, proxy, fresh, "drain-new")
  }
  await putBackInPlace(tools, replaced, imagesInPlace(replaced, old))
  await removeCopies(tools, fresh, { stop: "stop-new", remove: "remove-new" })
}
