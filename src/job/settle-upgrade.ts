import { failure, messageOf } from "../core/errors.ts"
import { ensureImage, inspectImage } from "../docker/image.ts"
import { assertSoleServer } from "./ensure-running.ts"
import { putDefinitionBack, readInstalled } from "./install-definition.ts"
import { isOurs } from "./is-ours.ts"
import { putAsideBack } from "./set-aside.ts"
import { definitions, servicesOf } from "./stack-services.ts"
import { readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { forgetUpgrades, readUpgrades, type UpgradeNote } from "./upgrade-note.ts"
import { waitHealthy } from "./wait-healthy.ts"

/**
 * Undoes a major upgrade that an earlier run began and did not end: the old directory, definition and image serve again.
 * What the upgrade had filled is kept aside. The rest of the infrastructure and the app are `finishInterrupted`'s, which
 * compares the data before they start. To be called before anything else changes the host.
 */
export async function settleUpgrade(tools: Tools): Promise<void> {
  const notes = await readUpgrades(tools)
  if (notes.length === 0) return
  const services = notes.map((one) => one.service)
  tools.log.warning(`An upgrade of ${services.join(", ")} was interrupted: the old data and image are put back`)
  for (const line of await putDataBack(tools, notes)) tools.log.warning(line)
  await putDefinitionBack(tools, await readInstalled(tools))
  const images = Object.fromEntries(notes.map((one) => [one.service, one.imageId]))
  const up = tools.stack.up(services, { forceRecreate: true, noDependencies: true, pull: "never", images })
  await tools.work.step("settle-upgrade", up)
  // Everything is in its place again; whether it serves is for the job at hand to see, which may be a restore.
  await tools.work.step("end-upgrade", forgetUpgrades(tools.layout))
  if ((await readStoppedApp(tools))?.awaits === "services") return
  try {
    await startOthers(tools)
    const infrastructure = (await servicesOf(tools, "infrastructure")).filter((one) => one.container)
    await tools.work.check("wait-settled", () => waitHealthy(tools, definitions(infrastructure)), undefined)
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    tools.log.warning(`The old data of ${services.join(", ")} is back, but not everything serves: ${messageOf(error)}`)
  }
}

/**
 * Has the image of before on the host, which moves its directory back and serves it: as long as the upgrade lasts no container keeps it
 * from being pruned. Throws `image-gone` where it is not to be had, with nothing changed.
 */
export async function ensureOldImage(tools: Tools, { service, imageId, image, aside }: UpgradeNote): Promise<void> {
  const isThere = () => inspectImage(tools.host, imageId)
  if (await isThere()) return
  let why = "no registry is known to have it"
  if (image !== undefined) {
    try {
      await ensureImage(tools, image, `pull-${service}`)
      if (tools.work.dryRun || (await isThere())) return
      why = `${image} is another one`
    } catch (error) {
      if (!isOurs(tools, error)) throw error
      why = messageOf(error)
    }
  }
  throw failure("image-gone", `the image that served ${service} before its upgrade (${imageId}) is gone: ${why}`, {
    hint: `Bring it back with docker pull or docker load on the host, then run this again. Nothing is lost: the old data is in ${aside}, or still in its place.`,
  })
}

/** The rest of the infrastructure, which the upgrade had stopped as well, where the app waits for a restore whatever the data is. */
async function startOthers(tools: Tools): Promise<void> {
  const stopped = (await servicesOf(tools, "infrastructure")).filter((one) => one.container?.state === "exited")
  for (const one of stopped) await assertSoleServer(tools, one)
  const containers = stopped.flatMap((one) => one.copies.filter(({ state }) => state === "exited"))
  if (containers.length > 0) await tools.work.step("start-settled", tools.stack.start(containers))
}

/**
 * Stops whatever of the stack runs on these directories and puts the old ones back. Refuses while anybody else uses them
 * (S13). Where what gave way is kept, one sentence each.
 */
export async function putDataBack(tools: Tools, notes: readonly UpgradeNote[]): Promise<readonly string[]> {
  for (const note of notes) await ensureOldImage(tools, note)
  const names = notes.map((one) => one.service)
  const own = async () =>
    (await servicesOf(tools, "infrastructure")).filter(({ service }) => names.includes(service.name))
  const containers = (await own()).flatMap((one) => one.container ?? [])
  if (containers.length > 0) await tools.work.step("stop-upgraded", tools.stack.stop(containers, { graceSeconds: 120 }))
  for (const one of await own()) await assertSoleServer(tools, one)
  const kept: string[] = []
  for (const note of notes) {
    const { stdout } = await tools.work.step(`put-data-back-${note.service}`, putAsideBack(note, note.failed))
    if (/^kept$/m.test(stdout))
      kept.push(
        `What the upgrade of ${note.service} had filled is in ${note.failed}, with whatever others than the app have written to the new server.`,
      )
  }
  return kept
}
