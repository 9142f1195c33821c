import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { type LedgerEntry, parseLedger, patience } from "../testbed/ledger.ts"
import { openPostgres, openRedis, type StoreConnection } from "../testbed/store-connection.ts"
import { runWriter, type WriterOptions } from "../testbed/writer.ts"

/** The writer of the testbed, which a restore needs at rest: it compares exactly, and only the app is stopped for it. */
export interface Writer {
  /** Goes on behind what its record says; does nothing when it works. */
  work(): void
  /** Resolves when everything that it was told is committed stands in its record. */
  rest(): Promise<void>
  /** A copy of the record as it is now. */
  save(file: string): void
  /** Takes a copy for the record: what a restore has brought back. To be called at rest. */
  load(file: string): void
}

export function restingWriter(options: Omit<WriterOptions, "signal">): Writer {
  let stop: AbortController | undefined
  let writing: Promise<unknown> = Promise.resolve()
  const { file } = options
  return {
    work() {
      if (stop) return
      stop = new AbortController()
      writing = runWriter({ ...options, signal: stop.signal })
    },
    async rest() {
      stop?.abort()
      stop = undefined
      await writing
    },
    save(copy) {
      if (existsSync(file)) copyFileSync(file, copy)
      else writeFileSync(copy, "")
    },
    load: (copy) => copyFileSync(copy, file),
  }
}

/** How many rows and keys of the stores are not those of a record, or missing in it. Rejects when a store does not answer. */
export async function distance(
  record: string,
  urls: { readonly postgres: string; readonly redis: string },
): Promise<{ readonly postgres: number; readonly redis: number }> {
  const entries = parseLedger(readFileSync(record, "utf8"))
  const [postgres, redis] = await Promise.all([
    differing(entries, "postgres", openPostgres(urls.postgres, patience)),
    differing(entries, "redis", openRedis(urls.redis, patience)),
  ])
  return { postgres, redis }
}

async function differing(
  entries: readonly LedgerEntry[],
  store: LedgerEntry["store"],
  connection: StoreConnection,
): Promise<number> {
  try {
    const wanted = new Map(entries.filter((one) => one.store === store).map((one) => [one.id, one.checksum]))
    const there = await connection.read()
    const missing = [...wanted].filter(([id, checksum]) => there.get(id) !== checksum).length
    // The writer may have been put to rest before it heard that its last row is there.
    const unheard = 1 + Math.max(0, ...wanted.keys())
    return missing + [...there.keys()].filter((id) => !wanted.has(id) && id !== unheard).length
  } finally {
    await connection.close()
  }
}
