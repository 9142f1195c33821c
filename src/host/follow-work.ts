import { Buffer } from "node:buffer"
import { setTimeout as sleep } from "node:timers/promises"
import { messageOf } from "../core/errors.ts"
import type { Command } from "../shell/command.ts"
import { type Host, HostError, type Input } from "./host.ts"
import { followCommand, followSeconds, readVerdict, type Verdict } from "./keeper.ts"
import { pauses } from "./steady.ts"
import { collect, type Output } from "./step-output.ts"

/** How detached work ended, with all of its output. */
export interface Followed {
  readonly verdict: Exclude<Verdict, { readonly kind: "again" }>
  readonly stdout: string
  readonly stderr: string
}

export interface FollowOptions {
  readonly folder: string
  /** The keeper's start command; its follower is the first one. Absent when the work runs already. */
  readonly start?: Command
  readonly input?: Input | undefined
  readonly signal?: AbortSignal | undefined
  readonly onLine?: ((line: string) => void) | undefined
  readonly log?: ((line: string) => void) | undefined
}

/** Code of a start whose folder is taken: it was started before, and is followed. */
const taken = 75

/** Code of a follower whose output nobody read. */
const unread = 76

/**
 * Starts work and follows it to its end over as many connections as it takes: each new follower goes on at the byte
 * where the last one stopped. Throws a `HostError` when the host stays away (the work goes on there) or on abort.
 */
export async function followWork(host: Host, options: FollowOptions): Promise<Followed> {
  const output = collect(options.onLine)
  let command = options.start
  let failures = 0
  let seenThere = command === undefined
  for (;;) {
    try {
      const seen = output.bytes()
      const end = await attach(host, { ...options, command: command ?? followCommand(options.folder, seen), output })
      if (end && end.verdict.kind !== "again")
        return { verdict: end.verdict, stdout: output.finish(), stderr: end.stderr }
      failures = 0
      seenThere = true
    } catch (error) {
      if (!isPassing(error) || options.signal?.aborted) throw error
      const pause = pauses[failures]
      if (pause === undefined) throw stayedAway(options.folder, error, seenThere || output.bytes() > 0)
      failures += 1
      options.log?.(`lost sight of the work on the host (${messageOf(error)}); looking again in ${pause / 1000} s`)
      await sleep(pause, undefined, options.signal ? { signal: options.signal } : {})
    }
    command = undefined
  }
}

/** One follower. Undefined when it had nothing to follow and the next one has. */
async function attach(
  host: Host,
  { command, output, ...options }: FollowOptions & { readonly command: Command; readonly output: Output },
): Promise<{ readonly verdict: Verdict; readonly stderr: string } | undefined> {
  const running = host.stream(command, {
    timeout: (followSeconds + 30) * 1000,
    allow: [0, taken, unread],
    ...(options.start === command && options.input !== undefined ? { input: options.input } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  })
  // What the stream throws is told better by `done`; a stream that breaks while `done` is content has lost bytes.
  const [read, done] = await Promise.allSettled([drain(running.stdout, output), running.done])
  if (done.status === "rejected") throw done.reason
  if (read.status === "rejected")
    throw new HostError("lost", "the output of the work broke off", { cause: read.reason })
  if (done.value.code === taken) return undefined
  const end = readVerdict(done.value.stderr)
  if (!end) throw new HostError("lost", "the follower of the work ended without a word")
  return end
}

async function drain(stdout: AsyncIterable<Uint8Array | string>, output: Output): Promise<void> {
  for await (const chunk of stdout) output.add(Buffer.from(chunk as Uint8Array))
}

function isPassing(error: unknown): boolean {
  return error instanceof HostError && ["unreachable", "lost", "did-not-run", "timeout"].includes(error.fault)
}

function stayedAway(folder: string, cause: unknown, seenThere: boolean): HostError {
  const goesOn = seenThere
    ? `The step goes on by itself on the host (in ${folder}) and keeps the lock.`
    : `Whether the step began there is not known; if it did, it goes on by itself (in ${folder}) and keeps the lock.`
  return new HostError("lost", `the host could not be reached again: ${messageOf(cause)}`, {
    hint: `${goesOn} Start this again when the host answers: the next run waits for it, says how it ended and finishes or undoes the rest.`,
    cause,
  })
}
