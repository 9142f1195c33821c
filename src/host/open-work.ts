import { formatDuration } from "../core/duration.ts"
import { type AppError, failure, messageOf } from "../core/errors.ts"
import type { Layout } from "../core/layout.ts"
import { type Command, lines } from "../shell/command.ts"
import { type Followed, followWork } from "./follow-work.ts"
import { CommandError, type Host, HostError, type RunResult } from "./host.ts"
import { journalNote } from "./journal.ts"
import { startCommand, wholeInput } from "./keeper.ts"
import type { Lease } from "./lease.ts"
import { leaseLost } from "./open-lease.ts"
import { lineReader } from "./step-output.ts"
import { type StepOptions, stepTimeout, type Work } from "./work.ts"

export interface WorkOptions {
  readonly lease: Lease
  readonly layout: Pick<Layout, "work" | "journal">
  /** Unique among all runs on this host: letters, digits, `.`, `_`, `-`. */
  readonly id: string
  readonly log?: (line: string) => void
  /** On abort the running step is left to itself on the host, and said so in the journal, within two seconds. */
  readonly signal?: AbortSignal
}

/** The work of a run, which the run ends with a word: without one, the next run knows that this one was interrupted. */
export interface OpenWork extends Work {
  /** Writes the run's outcome into the journal. */
  finish(outcome: "done" | "failed"): Promise<void>
}

/** How often a step is started again when the connection broke before it began. */
const starts = 3

/** Code of a start that the keeper refused before anything ran. */
const refused = 74

/** Code of a script that its lease's fence has ended. */
const fenced = 79

/** The real `Work`: steps run detached on the host, fenced by the lease, one folder and two journal lines each. */
export function openWork(host: Host, options: WorkOptions): OpenWork {
  const { id, log, layout, signal } = options
  if (!/^[A-Za-z0-9._-]{1,80}$/.test(id))
    throw new TypeError(`a work id is letters, digits, ".", "_" and "-", not ${id}`)
  const count = { value: 0 }
  return {
    dryRun: false,
    id,
    step: (name, command, step = {}) => runStep(host, options, { name, command, step, count }),
    async check(name, observe) {
      if (signal?.aborted) throw new HostError("aborted", `cancelled before ${name}`)
      log?.(name)
      return await observe()
    },
    async finish(outcome) {
      await host.run(journalNote(layout.journal, { run: id, state: outcome }))
    },
  }
}

interface Step {
  readonly name: string
  readonly command: Command
  readonly step: StepOptions
  readonly count: { value: number }
}

async function runStep(host: Host, options: WorkOptions, { name, command, step, count }: Step): Promise<RunResult> {
  const { id, lease, layout, log, signal } = options
  if (signal?.aborted) throw new HostError("aborted", `cancelled before ${name}`)
  const from = Date.now()
  const given = step.input === undefined ? undefined : await wholeInput(step.input)
  const { timeout: limit = stepTimeout } = step
  const slug = name.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80)
  const script = lines(lease.fence, command)
  log?.(name)
  const onLine = lineReader(name, step, log)
  for (let attempt = 1; ; attempt += 1) {
    count.value += 1
    const folder = `${layout.work}/${id}-${count.value}-${slug}`
    const piece = { folder, run: id, step: slug, journal: layout.journal, lock: lease.directory, claim: lease.number }
    const start = startCommand({ ...piece, ttl: lease.ttl, limit }, script, given?.bytes)
    const end = await followWork(host, { folder, start, input: given?.input, signal, onLine, log }).catch(
      async (error: unknown) => {
        if (signal?.aborted) throw await leave(host, options, { name, slug, folder })
        throw error instanceof CommandError && error.result.code === refused ? notStarted(name, error) : error
      },
    )
    if (end.verdict.kind === "unstarted" && attempt < starts && end.stderr.trim() === "") continue
    return await resultOf(end, { name, command, limit, lease, from, folder })
  }
}

interface Context {
  readonly name: string
  readonly command: Command
  readonly limit: number
  readonly lease: Lease
  readonly from: number
  readonly folder: string
}

async function resultOf({ verdict, stdout, stderr }: Followed, context: Context): Promise<RunResult> {
  const { name, command, limit, lease, from, folder } = context
  if (verdict.kind === "unstarted")
    throw failure(
      "step-not-started",
      `${name} could not be started on the host: ${lastLine(stderr) || "no reason given"}`,
    )
  if (verdict.kind === "cut")
    throw failure("step-cut", `${name} was cut on the host: its process is gone and left no exit code`, {
      hint: `The process was killed, the host rebooted, or its disk was full. What it wrote is in ${folder} on the host; run this again.`,
    })
  const result: RunResult = { command, code: verdict.code, stdout, stderr, duration: Date.now() - from }
  if (verdict.code === 0) return result
  const cause = new CommandError(result)
  if (verdict.limit)
    throw failure("step-timeout", `${name} was ended after ${formatDuration(limit)}, its limit`, { cause })
  if (verdict.code === fenced) await lease.renew().catch((error: unknown) => Promise.reject(lostBy(error, lease)))
  throw cause
}

/** A step may end with 79 by itself; only when the lease really is lost, it was the fence. */
function lostBy(error: unknown, lease: Lease): AppError {
  return error instanceof HostError ? error : leaseLost(lease.number, error)
}

async function leave(
  host: Host,
  { id, layout, log }: WorkOptions,
  { name, slug, folder }: { readonly name: string; readonly slug: string; readonly folder: string },
): Promise<HostError> {
  const note = journalNote(layout.journal, { run: id, step: slug, state: "left" })
  await host.run(note, { timeout: 1500 }).catch((error: unknown) => {
    log?.(`could not write into the journal that ${name} goes on: ${messageOf(error)}`) // leaving must not wait
  })
  return new HostError("aborted", `cancelled during ${name}, which goes on by itself on the host`, {
    hint: `It keeps the lock until it ends (its folder is ${folder}); the next run waits for it.`,
  })
}

function notStarted(name: string, error: CommandError): AppError {
  const why = lastLine(error.result.stderr) || `exit code ${error.result.code}`
  return failure("step-not-started", `${name} could not be started on the host, nothing was done: ${why}`, {
    hint: "Check that the state directory under the base directory is writable and that its disk is not full.",
    cause: error,
  })
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? ""
}
