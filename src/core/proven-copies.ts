import { type DrillRecord, lastDrill } from "./drill-record.ts"
import type { Manifest } from "./manifest.ts"
import { isProven } from "./manifest-contents.ts"

/** One store's copy of a backup, as that store's own manifest describes it. */
export interface Copy {
  readonly manifest: Manifest
  readonly from: DrillRecord["source"]
}

export type KnownDrill = Pick<DrillRecord, "backup" | "source" | "result" | "disproves" | "started">

/**
 * Copies that are proven, and that no drill has disproved since: neither their own last one, nor that of the other store's
 * copy, which speaks against all of the same bytes, but where it only found its own bytes damaged, or this copy came back
 * later. `drills` newest first.
 */
export function provenCopies<One extends Copy>(copies: readonly One[], drills: readonly KnownDrill[]): readonly One[] {
  return copies.filter((one) => isProven(one.manifest, one.from, drills) && !isDisprovedByOther(one, copies, drills))
}

function isDisprovedByOther({ manifest, from }: Copy, copies: readonly Copy[], drills: readonly KnownDrill[]): boolean {
  const backup = manifest.id
  const source = from === "local" ? "s3" : "local"
  const failed = lastDrill(drills, { backup, source })
  if (failed?.result !== "failed" || failed.disproves === "copy") return false
  const own = lastDrill(drills, { backup, source: from })
  if (own && Date.parse(own.started) > Date.parse(failed.started)) return false
  // A copy that is gone, or that nobody looked for, was of the same bytes: a backup is made once.
  const other = copies.find((one) => one.from === source && one.manifest.id === backup)
  return !other || JSON.stringify(other.manifest.services) === JSON.stringify(manifest.services)
}
