import type { Config } from "../core/config.ts"
import type { Layout } from "../core/layout.ts"
import type { Stack } from "../docker/stack.ts"
import type { Host } from "../host/host.ts"
import type { Lease } from "../host/lease.ts"
import type { Work } from "../host/work.ts"
import type { ServiceDriver } from "../service/driver.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import type { Logger } from "./logger.ts"

/** Who runs this: goes into the lock, the journal, manifests and release records. */
export interface Run {
  /** GitHub's run id; outside of GitHub one made up for this process. */
  readonly id: string
  readonly attempt: string
  readonly actor: string
  /** Link to the run; empty outside of GitHub. */
  readonly url: string
  /** The commit the run is about; empty when not known. */
  readonly sha: string
}

/** Time, passed in so that tests own it. */
export interface Clock {
  now(): Date
  /** Waits so many milliseconds; rejects with the signal's reason when it aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** A file of the checkout that belongs on the host: see `compose.upload`. */
export interface DefinitionFile {
  /** Relative to the base directory. */
  readonly path: string
  readonly content: Uint8Array
}

/** All that a job may touch. Opened by the composition root, closed by it whatever happens. */
export interface Tools {
  readonly config: Config
  readonly layout: Layout
  readonly host: Host
  readonly stack: Stack
  readonly drivers: readonly ServiceDriver[]
  /** The local store first, then S3 when it is on. */
  readonly stores: readonly BackupStore[]
  /** The only way to change the host. In an action that only looks, every step is refused. */
  readonly work: Work
  /** Present in actions that change the host, dry runs excepted. */
  readonly lease: Lease | undefined
  /** What the checkout has of the stack's definition, `compose.upload`. */
  readonly definition: readonly DefinitionFile[]
  readonly log: Logger
  readonly clock: Clock
  readonly run: Run
  /** Aborts when the action is cancelled or told to end. */
  readonly signal: AbortSignal
  /**
   * The same on the machine that runs the action, for work that is to be done there: its files lie in a folder of their
   * own, `layout.backups`; the stack does not run there. Absent unless asked for.
   */
  readonly runner?: Tools
  /** What an undo that an earlier run had begun has taken back, when this run has just finished it: one sentence. */
  readonly undone?: string
}
