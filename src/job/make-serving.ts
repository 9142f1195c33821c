import { failure, messageOf } from "../core/errors.ts"
import type { Mount } from "../docker/stack.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import { directoryOf } from "./keep-volumes.ts"
import { noWayBack } from "./restore-note.ts"
import { setAside } from "./set-aside.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/**
 * Gets a database server to answer so that a backup can be restored into it. One that does not start on its data gets
 * an empty directory; the unreadable data is moved aside under a dated name and stays (S2).
 */
export async function makeServing(tools: Tools, one: StackService, id: string): Promise<void> {
  const problem = await start(tools, one)
  if (problem === undefined) return
  tools.log.warning(`${one.service.name} does not serve with the data it has: ${problem}`)
  const [now] = await refresh(tools, [one])
  const container = now?.container
  if (!container) throw failure("not-healthy", `${one.service.name} could not be created: ${problem}`)
  await tools.work.step("stop-unreadable", tools.stack.stop([container]))
  await noWayBack(tools)
  for (const mount of container.mounts.filter(holdsData)) {
    const directory = directoryOf(mount, await tools.stack.definition())
    const aside = `${directory}.aside-${id}`
    await tools.work.step("set-data-aside", setAside({ imageId: container.imageId, directory, aside }))
  }
  const again = await start(tools, one)
  if (again !== undefined)
    throw failure("not-healthy", `${one.service.name} does not start with an empty directory either: ${again}`)
}

/** Starts, or first creates, the service; why it is not healthy, undefined when it is. */
async function start(tools: Tools, one: StackService): Promise<string | undefined> {
  await assertSoleServer(tools, one)
  try {
    await tools.work.step(
      "start-service",
      tools.stack.up([one.service.name], { noRecreate: true, noDependencies: true }),
    )
    await tools.work.check("wait-service", () => waitHealthy(tools, [one.definition]), undefined)
    return undefined
  } catch (error) {
    if (tools.signal.aborted) throw error
    return messageOf(error)
  }
}

function holdsData(mount: Mount): boolean {
  return mount.writable && mount.type !== "tmpfs"
}
