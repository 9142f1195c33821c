import type { DrilledService } from "../../core/drill-record.ts"
import { AppError, failure, messageOf } from "../../core/errors.ts"
import type { ServiceBackup } from "../../core/manifest.ts"
import type { RestoreReport } from "../../service/driver.ts"
import type { StackService } from "../stack-services.ts"
import type { Tools } from "../tools.ts"
import { endedOf, imageOf, openScratch, type Scratch } from "./scratch.ts"

/** A service of a backup, and the one of the stack that it would be restored into. */
export interface DrillPair {
  readonly one: StackService
  readonly backup: ServiceBackup
}

export interface Drilled {
  readonly services: readonly DrilledService[]
  /** Milliseconds since 1970: when the last service served what was restored. */
  readonly usable: number
}

interface Restored extends DrillPair {
  readonly scratch: Scratch
  readonly report: RestoreReport
  readonly seconds: number
}

/**
 * Restores each service into an empty server of its own, in the order of a real restore, and looks at the data only when
 * all are up. Throws when one cannot be restored or is not exactly what the manifest says; of the checks only what contradicts
 * the manifest has `failed`. A dry run starts nothing.
 */
export async function restoreIntoScratch(tools: Tools, pairs: readonly DrillPair[], backups: string): Promise<Drilled> {
  const ordered = pairs.toSorted(
    (a, b) => Number(b.backup.contents.kind === "postgres") - Number(a.backup.contents.kind === "postgres"),
  )
  const servers: Scratch[] = []
  const restored: Restored[] = []
  try {
    for (const pair of ordered) {
      const started = tools.clock.now().getTime()
      const scratch = await openScratch(tools, pair.one, { backup: pair.backup, backups })
      if (!scratch) continue
      servers.push(scratch)
      const report = await restoreOne(tools, pair, scratch)
      const seconds = Math.round((tools.clock.now().getTime() - started) / 100) / 10
      tools.log.info(`${pair.backup.service}: restored and counted in ${seconds} s`)
      restored.push({ ...pair, scratch, report, seconds })
    }
  } catch (error) {
    if (!tools.signal.aborted && error instanceof AppError) await assertServing(tools, servers, error)
    throw error
  }
  const usable = tools.clock.now().getTime()
  const services = await Promise.all(restored.map(look))
  if (services.some(({ checks }) => checks.some(({ state }) => state !== "ok"))) await assertServing(tools, servers)
  return { services, usable }
}

async function restoreOne(tools: Tools, { one, backup }: DrillPair, scratch: Scratch): Promise<RestoreReport> {
  if (!one.driver.restore) throw failure("cannot-drill", `services of kind ${one.service.kind} cannot be restored`)
  return one.driver.restore(scratch.service, scratch.container, backup, tools.work)
}

async function look({ one, backup, scratch, report, seconds }: Restored): Promise<DrilledService> {
  const checks = [
    ...((await one.driver.verify?.(scratch.service, scratch.container, backup, { restored: true })) ?? []),
  ]
  const { tables, rows, keys, caveat } = report
  if (caveat !== undefined) checks.push({ name: "exactness", state: "warning", detail: caveat })
  return { service: backup.service, image: imageOf(one), seconds, tables, rows, keys, checks }
}

/** A server that has ended, for want of memory or by somebody's hand, looks like a bad backup otherwise; so does Docker's end. */
async function assertServing(tools: Tools, servers: readonly Scratch[], cause?: AppError): Promise<void> {
  const ended = await endedOf(tools, servers).catch((error: unknown) => [messageOf(error)])
  if (ended.length === 0) return
  throw failure("drill-server", ended.join(", "), { cause })
}
