import { setTimeout as sleep } from "node:timers/promises"
import { formatDuration } from "../core/duration.ts"
import { failure, refusal } from "../core/errors.ts"
import type { Layout } from "../core/layout.ts"
import { remoteCall } from "../remote/call.ts"
import { lines, sh } from "../shell/command.ts"
import type { Host } from "./host.ts"
import { type JournalLine, journalNote, journalTail, openRuns, parseJournal } from "./journal.ts"

/** A piece of detached work, as it lies on the host. */
export interface PieceState {
  /** `cut`: its process is gone without an exit code. `unstarted`: it never ran and never will. */
  readonly state: "running" | "ended" | "cut" | "unstarted"
  /** The claim under which it runs. */
  readonly claim: number
  readonly code: number | undefined
  readonly run: string
  readonly step: string
  /** Name of its folder. */
  readonly folder: string
}

/** What earlier runs left behind. */
export interface Unfinished {
  /** Still running on the host. */
  readonly running: readonly PieceState[]
  readonly cut: readonly PieceState[]
  /** Runs that never said how they ended, with the last journal line of each. */
  readonly runs: readonly JournalLine[]
}

export interface SettleOptions {
  readonly layout: Pick<Layout, "work" | "journal">
  /** Milliseconds to wait for work that still runs; ten minutes unless told. */
  readonly wait?: number
  /** Milliseconds between two looks; 2 s unless told. */
  readonly poll?: number
  /** Runs to leave out: one's own, and earlier jobs of the same run. */
  readonly except?: readonly string[]
  readonly log?: (line: string) => void
  readonly signal?: AbortSignal
}

/** What earlier runs left behind, as it is now. Only looks. */
export async function unfinishedWork(
  host: Host,
  { layout, except = [] }: Pick<SettleOptions, "layout" | "except">,
): Promise<Unfinished> {
  const [list, journal] = await Promise.all([
    host.run(remoteCall("keeper", "read", { name: "work_list", args: [layout.work] })),
    host.run(journalTail(layout.journal)),
  ])
  const pieces = parseList(list.stdout).filter((piece) => !except.includes(piece.run))
  return {
    running: pieces.filter((piece) => piece.state === "running"),
    cut: pieces.filter((piece) => piece.state === "cut"),
    runs: openRuns(parseJournal(journal.stdout)).filter((line) => !except.includes(line.run)),
  }
}

/**
 * To be called by a new holder of the lock before its first step: waits until no earlier run's work is alive on the
 * host, and returns what was cut. Throws the refusal `work-alive` when the wait is over.
 */
export async function settleWork(host: Host, options: SettleOptions): Promise<Unfinished> {
  const { wait = 600_000, poll = 2000, log, signal } = options
  const until = Date.now() + wait
  for (let told = false; ; told = true) {
    const found = await unfinishedWork(host, options)
    if (found.running.length === 0) return found
    const names = found.running.map(({ step, run }) => `${step} of run ${run}`).join(", ")
    if (Date.now() >= until)
      throw refusal("work-alive", `an earlier run still works on the host: ${names}; waited ${formatDuration(wait)}`, {
        hint: `Wait for it and start this again. Its folders are ${found.running.map(({ folder }) => `${options.layout.work}/${folder}`).join(" ")}.`,
      })
    if (!told) log?.(`waiting for work of an earlier run: ${names}`)
    await sleep(Math.min(poll, Math.max(50, until - Date.now())), undefined, signal ? { signal } : {})
  }
}

/** Marks what was cut as dealt with, so that the next run is not told again. For after the repair. */
export async function acknowledgeWork(
  host: Host,
  layout: Pick<Layout, "work" | "journal">,
  { cut, runs }: Pick<Unfinished, "cut" | "runs">,
): Promise<void> {
  const folders = cut.map((piece) => piece.folder)
  const notes = runs.map(({ run }) => journalNote(layout.journal, { run, state: "seen" }))
  const settle = remoteCall("keeper", "change", { name: "work_settle", args: [layout.work, ...folders] })
  await host.run(lines(sh`set -e`, ...notes, settle))
}

function parseList(text: string): readonly PieceState[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [state, claim, code, run = "", step = "", folder] = line.split(" ")
      if (!/^(running|ended|cut|unstarted)$/.test(state ?? "") || folder === undefined)
        throw failure("work-unreadable", `the host's list of work makes no sense: ${line.slice(0, 200)}`)
      return {
        state: state as PieceState["state"],
        claim: Number(claim),
        code: code === "-" ? undefined : Number(code),
        run,
        step,
        folder,
      }
    })
}
