import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkLedger } from "../testbed/ledger.ts"
import { removeStack, resetStack, storeUrls, testbed } from "../testbed/testbed.ts"
import { runWriter } from "../testbed/writer.ts"
import { type BranchReport, branches, type Ground } from "./branches.ts"
import { consumerRepository } from "./consumer.ts"
import { commandLine } from "./run-tool.ts"
import { printTable, type Row } from "./table.ts"

const scratch = mkdtempSync(join(tmpdir(), "infra-actions-demo-"))
const stop = new AbortController()
try {
  execFileSync(join(import.meta.dirname, "../../script/build"), ["release", join(scratch, "tree")], { stdio: "ignore" })
  const stack = await resetStack({ app: "v1" })
  const bed = testbed()
  using consumer = consumerRepository(bed)
  const ledger = join(scratch, "ledger")
  const urls = storeUrls(stack)
  const writing = runWriter({ urls, file: ledger, rate: 20, signal: stop.signal })
  const ground: Ground = { bed, consumer, tool: commandLine(join(scratch, "tree"), consumer.directory, bed) }

  const rows: Row[] = []
  for (const branch of branches) {
    const start = performance.now()
    const report = await branch.run(ground)
    const seconds = (performance.now() - start) / 1000
    const lost = await rowsLost(report)
    const isRight = report.jobs === branch.expected && lost === 0 && (report.failedRequests ?? 0) === 0
    rows.push({ ...report, name: branch.name, expected: branch.expected, seconds, lost, isRight })
    console.log(
      `${isRight ? "ok" : "WRONG"}  ${branch.name}: ${report.jobs || "nothing to do"} (${seconds.toFixed(1)} s)`,
    )
  }
  stop.abort()
  const written = await writing
  printTable(rows, written)
  process.exitCode = rows.every((row) => row.isRight) ? 0 : 1

  async function rowsLost({ before }: BranchReport): Promise<number> {
    const check = await checkLedger(ledger, urls, before === undefined ? {} : { before })
    const { postgres, redis } = check
    return postgres.lost + postgres.damaged + redis.lost + redis.damaged
  }
} finally {
  stop.abort()
  if (!process.argv.includes("--keep")) await removeStack()
  rmSync(scratch, { recursive: true, force: true })
}
