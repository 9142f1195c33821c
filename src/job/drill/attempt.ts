import type { DrillRecord } from "../../core/drill-record.ts"
import { failure, messageOf } from "../../core/errors.ts"
import type { Check } from "../../core/health.ts"
import type { Manifest } from "../../core/manifest.ts"
import type { BackupStore } from "../../storage/backup-store.ts"
import type { Tools } from "../tools.ts"
import { disproves } from "./disproof.ts"
import { bringImages, bringThere } from "./on-runner.ts"
import { type DrillPair, restoreIntoScratch } from "./restore-into-scratch.ts"
import { scratchFolder } from "./scratch.ts"

/** A copy of a backup that is drilled. */
export interface Chosen {
  readonly manifest: Manifest
  readonly store: BackupStore
}

export interface AttemptOptions extends Chosen {
  /** The tools of the machine where the throw-away servers run. */
  readonly there: Tools
  readonly pairs: readonly DrillPair[]
  readonly started: Date
}

/** What a drill has shown of a copy. */
export type Attempt = Pick<DrillRecord, "result" | "reason" | "disproves" | "proven" | "rtoSeconds" | "services">

/** Restores a copy and looks at it. Throws whatever kept it from being tried: only what is wrong with the copy is an outcome. */
export async function attempt(tools: Tools, options: AttemptOptions): Promise<Attempt> {
  const { there, pairs, started } = options
  try {
    const backups = await bring(tools, options)
    if (there !== tools) await bringImages(tools, there, pairs)
    const { services, usable } = await restoreIntoScratch(there, pairs, backups)
    const wrong = problemsOf(services.flatMap(({ checks }) => checks))
    const seen = { rtoSeconds: secondsBetween(started.getTime(), usable), services: [...services] }
    return wrong === ""
      ? { result: "success", reason: "", proven: "restored", ...seen }
      : { result: "failed", reason: wrong, disproves: "backup", ...seen }
  } catch (error) {
    const against = disproves(error)
    if (tools.signal.aborted || !against) throw error
    return { result: "failed", reason: messageOf(error), disproves: against, rtoSeconds: null, services: [] }
  }
}

/** What checks found wrong, empty when nothing. Throws when one of them could not look, and no other found anything. */
export function problemsOf(checks: readonly Check[]): string {
  const told = (state: Check["state"]) =>
    checks.flatMap((one) => (one.state === state ? [`${one.name}: ${one.detail}`] : [])).join("; ")
  const [failed, unknown] = [told("failed"), told("unknown")]
  if (failed === "" && unknown !== "")
    throw failure("drill-unknown", `what was restored could not be looked at: ${unknown}`)
  return failed
}

/** The directory where the backup's files lie, proven: the local ones where they are, others fetched beside them. */
async function bring(tools: Tools, { manifest, store, there }: AttemptOptions): Promise<string> {
  if (there !== tools) return bringThere(tools, there, { manifest, store })
  const folder = store.name === "local" ? tools.layout.backups : scratchFolder(tools)
  await store.fetch(manifest, tools.work, folder)
  return folder
}

/** To the tenth. */
export function secondsBetween(from: number, to: number): number {
  return Math.round((to - from) / 100) / 10
}
