import { refusal } from "../core/errors.ts"
import { assertSoleServer, atLeastOne, ensureRunning } from "./ensure-running.ts"
import { containerOf, dataServices } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { startWriters, stopWriters } from "./writers.ts"

export interface UndoResult {
  /** One sentence per service: what serves now and where the other data is. */
  readonly done: readonly string[]
  /** Data services whose restore cannot be taken back this way; they keep what they have. */
  readonly left: readonly string[]
}

/**
 * Takes the last restore back: the replaced databases serve again, in one transaction, and what the restore had brought
 * is kept aside. The app is stopped meanwhile and started again whatever happens, for a live database is always there.
 */
export async function undoRestore(tools: Tools, services?: readonly string[]): Promise<UndoResult> {
  const data = atLeastOne(await dataServices(tools, services), "data service")
  const able = data.filter((one) => one.driver.undo)
  const left = data.filter((one) => !one.driver.undo).map((one) => one.service.name)
  if (able.length === 0)
    throw refusal("cannot-undo", `a restore of ${left.join(", ")} cannot be taken back`, {
      hint: "Restore an earlier backup instead.",
    })
  for (const one of able) await assertSoleServer(tools, one)
  const running = await ensureRunning(tools, able)
  await stopWriters(tools, { awaits: "services" })
  const done: string[] = []
  try {
    for (const one of running) {
      const sentence = await one.driver.undo?.(one.service, containerOf(one), tools.work)
      if (sentence !== undefined) done.push(sentence)
    }
  } catch (error) {
    if (!tools.signal.aborted) await startWriters(tools)
    throw error
  }
  await startWriters(tools)
  if (left.length > 0)
    tools.log.warning(`${left.join(", ")}: left as they are, they cannot go back to before a restore`)
  return { done, left }
}
