import { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { messageOf } from "../core/errors.ts"
import type { Command } from "../shell/command.ts"
import { type Host, HostError, type RunOptions } from "./host.ts"

/** Milliseconds between attempts to reach the host again after the connection was lost: half a minute in all. */
export const pauses = [500, 1000, 2000, 5000, 10_000, 15_000]

export interface SteadyOptions {
  readonly log?: (line: string) => void
  /** On abort nothing is tried again. */
  readonly signal?: AbortSignal
}

/**
 * The same host for somebody who bears a connection that is lost: a look is repeated over a new connection until the host
 * answers or half a minute is over; then a `HostError` says what the next run will do. A change is repeated only when nothing of it can have reached the host.
 */
export function steady(host: Host, { log, signal }: SteadyOptions = {}): Host {
  return {
    ...host,
    async run(command, options) {
      for (let failures = 0; ; failures += 1) {
        try {
          return await host.run(command, options)
        } catch (error) {
          if (signal?.aborted || !mayRepeat(error, command, options)) throw error
          const pause = pauses[failures]
          if (pause === undefined) throw stayedAway(error)
          log?.(`lost sight of ${host.name} (${messageOf(error)}); looking again in ${pause / 1000} s`)
          await sleep(pause, undefined, signal ? { signal } : {})
        }
      }
    },
  }
}

function stayedAway(cause: HostError): HostError {
  return new HostError("unreachable", `the host could not be reached again: ${messageOf(cause)}`, {
    hint: "Start this again when the host answers: the next run finishes or undoes what this one has begun.",
    cause,
  })
}

function mayRepeat(error: unknown, { effect }: Command, options: RunOptions = {}): error is HostError {
  // What was read of a stream is gone.
  if (!(error instanceof HostError) || options.signal?.aborted || options.input instanceof Readable) return false
  return error.fault === "unreachable" || (error.fault === "lost" && effect === "read")
}
