import { AppError, failure, messageOf } from "../../core/errors.ts"
import { killNow } from "../../docker/kill-now.ts"
import { mayStillAct, type Work } from "../../host/work.ts"
import type { Service } from "../driver.ts"
import { atData, type DataPlace, loadArguments } from "./data-work.ts"
import { keptFolder } from "./kept-data.ts"
import { loadLimit, waitForServer } from "./wait-server.ts"

/** How far a swap of the data came: it decides what a failure has to undo. */
export type Reached = "staged" | "stopped" | "swapped"

export interface PutBackOptions extends DataPlace {
  readonly service: Service
  readonly work: Work
  readonly reached: Reached
  /** Folder of the data directory where what was put there goes; one of its own unless told. */
  readonly from?: string
}

/**
 * After a failure: kills rather than stops, for there is nothing to be saved of data that is wrong; then the old data
 * serves again. Always throws, with `reason` and whether the old data is in its place; `reason` itself where nobody may act.
 */
export async function putBack(options: PutBackOptions, reason: unknown): Promise<never> {
  if (!mayStillAct(reason)) throw reason
  const { service, container, settings, work, reached, from } = options
  try {
    if (reached === "swapped") {
      await work.step(`kill-${service.name}`, killNow(container))
    }
    const rest = [...loadArguments(settings).slice(0, 2), ...(from === undefined ? [] : [from])]
    await work.step(`undo-${service.name}`, atData(options, "redis-undo", rest))
    if (reached !== "staged" && container.state !== "exited" && container.state !== "created") {
      await work.step(`start-old-${service.name}`, service.stack.start([container]))
      await work.check(`old-serves-${service.name}`, () => waitForServer(service, container, loadLimit(0)), undefined)
    }
  } catch (error) {
    const hint = `The data before the restore lies in ${settings.mount.source}, in ${keptFolder(work.id)} if it was moved.`
    throw failure(
      "restore-undo-failed",
      `${messageOf(reason)}; putting the old data back failed, too: ${messageOf(error)}`,
      { hint, cause: reason },
    )
  }
  throw failure("restore-failed", `${messageOf(reason)}; the data of before the restore is in its place`, {
    ...(reason instanceof AppError && reason.hint !== undefined && { hint: reason.hint }),
    cause: reason,
  })
}
