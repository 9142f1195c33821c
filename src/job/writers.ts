import { servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/** Stops every running container of the app, those that need others first, within their grace periods. */
export async function stopWriters(tools: Tools): Promise<void> {
  const containers = await appContainers(tools)
  const running = containers.filter((one) => one.state === "running" || one.state === "restarting")
  if (running.length > 0) await tools.work.step("stop-writers", tools.stack.stop(running))
}

/**
 * Starts every stopped container of the app and waits until the app is healthy: also those that an earlier, cut off
 * run had stopped. Does nothing where the app was never deployed.
 */
export async function startWriters(tools: Tools): Promise<void> {
  const containers = await appContainers(tools)
  const stopped = containers.filter((one) => one.state === "exited")
  if (stopped.length > 0) await tools.work.step("start-writers", tools.stack.start(stopped))
  const deployed = (await tools.stack.servicesOf("app")).filter((one) =>
    containers.some((container) => container.service === one.name),
  )
  if (deployed.length > 0) await tools.work.check("wait-writers", () => waitHealthy(tools, deployed), undefined)
}

async function appContainers(tools: Tools) {
  const services = await servicesOf(tools, "app")
  const containers = await tools.stack.containers()
  return services
    .toReversed()
    .flatMap((one) => containers.filter((container) => container.service === one.service.name))
}
