import { AppError, messageOf } from "../core/errors.ts"
import { isProven } from "../core/manifest-contents.ts"
import { HostError } from "../host/host.ts"
import type { LastBackup } from "../service/driver.ts"
import { newestManifests } from "../storage/local-store.ts"
import type { Tools } from "./tools.ts"

/** Manifests of our own that are read: enough to find one of each service, and few to carry. */
const most = 20

/**
 * What the newest proven backup on the host holds of a service; undefined where none is known. Only to say what is missing:
 * where the backups cannot be read, a warning says so, and nothing is known.
 */
export async function lastBackups(
  tools: Pick<Tools, "host" | "layout" | "config" | "log">,
): Promise<(service: string) => LastBackup | undefined> {
  const { host, layout, config } = tools
  const owner = { project: config.project, environment: config.environment }
  try {
    const all = await newestManifests({ host, directory: layout.backups, ...owner }, most)
    const proven = all.filter((one) => isProven(one, "local"))
    const parts = proven.flatMap(({ id, services }) => services.map((backup) => ({ id, backup })))
    return (service) => parts.find(({ backup }) => backup.service === service)
  } catch (error) {
    if (error instanceof HostError || !(error instanceof AppError)) throw error
    tools.log.warning(`What the last backup holds is not known: ${messageOf(error)}`)
    return () => undefined
  }
}
