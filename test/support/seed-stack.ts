import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { written } from "../testbed/ledger.ts"
import { type StackPlace, storeUrls } from "../testbed/testbed.ts"
import { runWriter, type WriterReport } from "../testbed/writer.ts"

/** Commits some rows and keys to both stores of a stack, so that there is something to lose; how many. */
export async function seedStack(place: StackPlace): Promise<WriterReport> {
  const folder = mkdtempSync(join(tmpdir(), "infra-actions-seed-"))
  const stop = new AbortController()
  try {
    const urls = storeUrls(place)
    const file = join(folder, "ledger")
    const writing = runWriter({ urls, file, rate: 100, signal: stop.signal })
    await written(file, 20)
    stop.abort()
    return await writing
  } finally {
    stop.abort()
    rmSync(folder, { recursive: true, force: true })
  }
}
