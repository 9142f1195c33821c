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
  const resets = rows.reduce((sum, row) => sum + (row.load?.idleResets ?? 0), 0)
  console.log(
    `\nWritten meanwhile: ${written.postgres} rows and ${written.redis} keys; a row is lost when it was committed ` +
      `(for the restore: before its backup began) and is not there with its checksum.\n` +
      `Resets of a reused idle connection, retried once by the client: ${resets}.`,
  )
  for (const row of rows.filter((one) => one.jobs !== one.expected))
    console.log(`${row.name}: expected the jobs ${row.expected || "(none)"}`)
}
