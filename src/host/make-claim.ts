import { failure } from "../core/errors.ts"
import { describeLease, type LeaseState, parseClaim } from "../core/lock-rules.ts"
import { remoteCall } from "../remote/call.ts"
import { CommandError, type Host, HostError, type RunResult } from "./host.ts"

export interface Claim {
  readonly directory: string
  /** Milliseconds. */
  readonly ttl: number
  readonly record: string
  /** The mark in the record, by which an answer that was lost on the way is known again. */
  readonly mark: string
  /** The claim to follow even though it is held; without one only a free or stale lock is taken. */
  readonly after?: number | undefined
  readonly log?: ((line: string) => void) | undefined
}

/** Code of the scripts for what the host's file system does not let them do. */
const impossible = 74

/**
 * One try: the claim's number, or who stands in the way; undefined when it is worth trying again at once. It cannot be
 * aborted: nobody would know whether the claim stands.
 */
export async function makeClaim(host: Host, claim: Claim): Promise<number | LeaseState | undefined> {
  const { stdout } = await ask(host, claim)
  const [first = "", before] = stdout.trimEnd().split("\n")
  const number = /^claimed (\d+)$/.exec(first)?.[1]
  const other = number && !before ? undefined : parseClaim(before ?? first)
  if (number) {
    if (other) claim.log?.(`took over the lock, which was stale: ${describeLease(other)}`)
    return Number(number)
  }
  if (!other || other.mark === claim.mark) return other?.number
  return other.state === "held" || other.state === "ahead" ? other : undefined
}

async function ask(host: Host, { directory, ttl, record, after }: Claim): Promise<RunResult> {
  const seconds = Math.max(4, Math.ceil(ttl / 1000))
  const command = remoteCall("lease", "change", {
    name: after === undefined ? "lease_claim" : "lease_pass",
    args: [directory, seconds, record, ...(after === undefined ? [] : [after])],
  })
  try {
    return await host.run(command).catch((error: unknown) => {
      if (!(error instanceof HostError) || error.fault !== "lost") throw error
      return host.run(command) // the claim may stand: our mark in it tells
    })
  } catch (error) {
    throw error instanceof CommandError && error.result.code === impossible ? unusable(directory, error) : error
  }
}

function unusable(directory: string, cause: CommandError): Error {
  const why = cause.result.stderr.trim().split("\n").at(-1) || "no reason given"
  return failure("lock-unusable", `the lock cannot be kept in ${directory} on the host: ${why}`, {
    hint: "It needs a directory of the account that acts (host.user in infra.yml; always the same one), with free space, on a file system with hard links (not vfat or exfat): set host.directory to such a place.",
    cause,
  })
}
