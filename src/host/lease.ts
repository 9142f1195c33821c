import type { Command } from "../shell/command.ts"

/**
 * A lock that is held: S4's lease. It renews itself every quarter of its ttl until it is released or lost, but only
 * while its user makes progress: a stalled one keeps nobody out for ever.
 */
export interface Lease {
  /** The claim's number, never reused: the fencing token. */
  readonly number: number
  readonly directory: string
  /** Milliseconds without renewal after which another run may take the lock. */
  readonly ttl: number
  /** Shell text that ends the script with code 79 unless this lease is still held: put right before an irreversible act. */
  readonly fence: Command
  /** Says that the user of the lease makes progress. After three ttls without a word it is not renewed any more. */
  progress(): void
  /** Throws `lease-lost` when another claim stands. */
  renew(): Promise<void>
  /**
   * Does nothing when the lease is no longer ours. While detached work of this lease runs, it is that work's end that
   * releases it.
   */
  release(): Promise<void>
}
