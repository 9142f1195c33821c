import type { ServiceBackup } from "../core/manifest.ts"

/** A restore that was cut off. */
export interface CutRestore {
  /** Ids of the works that took part in it, newest first. */
  readonly ids: readonly string[]
  /** What it brought back; undefined when that was a dump that somebody else made. */
  readonly backup: ServiceBackup | undefined
  /** Whether it had begun to drop the live data: there is only the way forward. */
  readonly dropped: boolean
}

/** What a restore that was cut off left beside the live data. */
export interface LeftOfRestore {
  /** Where a person finds it. */
  readonly place: string
  /** All that it replaced (`kept`), what of that it had moved when it was cut (`part`), or files that it was bringing. */
  readonly what: "kept" | "part" | "brought"
}

/** An undo of a restore that was cut off. */
export interface CutUndo {
  /** What it was to bring back, by the name that `replaced` gave. */
  readonly name: string
  /** The id of the work that did it: part of the names of what it put aside. */
  readonly id: string
}
