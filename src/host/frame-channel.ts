import type { Readable, Writable } from "node:stream"

/** How the process behind a channel ended, as the transport tells it; both absent when it broke off. */
export interface ChannelEnd {
  readonly code?: number
  readonly signal?: string
}

/** One running process with its three streams: a channel of an SSH connection, or a child of ours. */
export interface FrameChannel {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves once, when nothing more comes and the slot is free; never rejects. */
  readonly closed: Promise<ChannelEnd>
  /** Lets go of the process without ending it. */
  close(): void
  /** Ends the process, with its whole group when that is known, and lets go. */
  kill(group?: number): void
}

/** Starts the bootstrap. Throws a `HostError` when the host cannot be reached. */
export type OpenChannel = (signal: AbortSignal | undefined) => Promise<FrameChannel>
