import { dirname } from "node:path/posix"
import { type Command, change, sh } from "../shell/command.ts"

/** What happened to a run (`done`, `failed`: its outcome) or to one of its steps. */
export type JournalState = "begin" | "end" | "failed" | "left" | "done" | "seen"

/** One line of the journal. `code` is a step's exit code; a line without a step is about the whole run. */
export interface JournalLine {
  /** ISO 8601, UTC, by the host's clock. */
  readonly time: string
  readonly run: string
  readonly step?: string
  readonly state: JournalState
  readonly code?: number
}

/** Appends a line, whole because it is short and written at once. Times are the host's. */
export function journalNote(journal: string, line: Omit<JournalLine, "time">): Command {
  const rest = JSON.stringify(line).slice(1)
  return change`umask 077 && mkdir -p ${dirname(journal)} && printf '{"time":"%s",%s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${rest} >>${journal}`
}

/** The last lines of the journal; none when there is no journal yet. */
export function journalTail(journal: string): Command {
  return sh`if [ -e ${journal} ]; then tail -n 1000 ${journal}; fi`
}

/**
 * Reads journal lines, bearing torn ones: a power cut or a full disk can leave them anywhere, and the next line is then
 * written right behind what is there of one.
 */
export function parseJournal(text: string): readonly JournalLine[] {
  return text.split(/\n|(?=\{"time":")/).flatMap((line) => {
    try {
      const value = JSON.parse(line) as JournalLine
      return typeof value.run === "string" && typeof value.state === "string" ? [value] : []
    } catch {
      return []
    }
  })
}

/** Runs that have no outcome, with the last thing known of each: killed, cancelled, or still going on. */
export function openRuns(journal: readonly JournalLine[]): readonly JournalLine[] {
  const last = new Map<string, JournalLine>()
  for (const line of journal) {
    const isOutcome = line.step === undefined && ["done", "failed", "seen"].includes(line.state)
    if (isOutcome) last.delete(line.run)
    else last.set(line.run, line)
  }
  return [...last.values()]
}
