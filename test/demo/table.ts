import type { WriterReport } from "../testbed/writer.ts"
import type { BranchReport } from "./branches.ts"

export interface Row extends BranchReport {
  readonly name: string
  readonly expected: string
  readonly seconds: number
  readonly lost: number
  readonly isRight: boolean
}

export function printTable(rows: readonly Row[], written: WriterReport): void {
  const head = ["branch", "jobs run", "seconds", "rows lost", "requests failed"]
  const lines = rows.map((row) => [
    row.name,
    row.jobs || "-",
    row.seconds.toFixed(1),
    String(row.lost),
    row.failedRequests === undefined ? "-" : `${row.failedRequests} of ${row.load?.sent}`,
  ])
  const widths = head.map((title, index) => Math.max(title.length, ...lines.map((line) => line[index]?.length ?? 0)))
  const show = (cells: readonly string[]) => cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")
  console.log(`\n${show(head)}\n${widths.map((width) => "-".repeat(width)).join("  ")}`)
  for (const line of lines) console.log(show(line))
  const sum = (what: "idleResets" | "unread") => rows.reduce((all, row) => all + (row.load?.[what] ?? 0), 0)
  console.log(
    `\nWritten meanwhile: ${written.postgres} rows and ${written.redis} keys; a row is lost when it was committed ` +
      `(for the restore: before its backup began) and is not there with its checksum.\n` +
      `Retried once by the client: ${sum("idleResets")} on an idle connection that was closed, ${sum("unread")} on a new one that was closed unread.`,
  )
  for (const row of rows.filter((one) => one.jobs !== one.expected))
    console.log(`${row.name}: expected the jobs ${row.expected || "(none)"}`)
}
