import { inputError } from "../core/errors.ts"
import type { ForeignRestore, RestoreReport } from "../service/driver.ts"
import { assertSoleServer, ensureRunning } from "./ensure-running.ts"
import { containerOf, dataServices } from "./stack-services.ts"
import { startAfterFailure, startAfterSuccess } from "./start-after.ts"
import type { Tools } from "./tools.ts"
import { startWriters, stopWriters } from "./writers.ts"

export interface ForeignRestoreOptions extends Omit<ForeignRestore, "database" | "begins"> {
  /** The only one that the configuration names unless told. */
  readonly database?: string
  readonly services?: readonly string[]
}

/**
 * Restores a dump that was not made by `backup` from a file on the host: beside the live database, swapped in when every
 * row of it came in. The app is stopped once the file is read and nothing speaks against it; a failure leaves the live database as it was and starts the app again.
 */
export async function restoreForeign(tools: Tools, options: ForeignRestoreOptions): Promise<RestoreReport> {
  const able = (await dataServices(tools, options.services)).filter((one) => one.driver.restoreForeign)
  const [only] = able
  if (!only || able.length > 1)
    throw inputError("services", "services: name the one database server that the file is for", {
      hint: able.length > 0 ? `There are: ${able.map((one) => one.service.name).join(", ")}.` : "There is none.",
    })
  const database = options.database ?? onlyDatabase(only.service.config.databases)
  await assertSoleServer(tools, only)
  const [running = only] = await ensureRunning(tools, [only])
  const restoring = { ids: [tools.work.id], services: [only.service.name], done: [], forward: false }
  let begun = false
  const begins = async () => {
    begun = true
    await stopWriters(tools, { awaits: "services", restoring })
  }
  const dump = { file: options.file, database, force: options.force, begins }
  const report = await running.driver
    .restoreForeign?.(running.service, containerOf(running), dump, tools.work)
    .catch((error: unknown) => {
      if (!begun) throw error
      return startAfterFailure(tools, error, () => startWriters(tools))
    })
  const { kept } = report ?? nothing
  if (!tools.work.dryRun) tools.log.info(`${options.file} is in "${database}". ${kept}`)
  const start = () => startWriters(tools)
  await startAfterSuccess(tools, { done: `${options.file} is restored`, kept: [kept], start })
  return report ?? nothing
}

const nothing: RestoreReport = { tables: 0, rows: 0, keys: 0, kept: "" }

function onlyDatabase(databases: readonly string[] = []): string {
  const [only] = databases
  if (only !== undefined && databases.length === 1) return only
  throw inputError("database", "database: say which database the file is for", {
    hint: "It is replaced if it exists, and kept under another name; it is made if it does not.",
  })
}
