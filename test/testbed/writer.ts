import { once } from "node:events"
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { checksum, type LedgerEntry, parseLedger, type Store } from "./ledger.ts"
import { openPostgres, openRedis, type StoreConnection } from "./store-connection.ts"
import { storeUrls, testbed } from "./testbed.ts"

export interface WriterOptions {
  /** Connection URLs of both stores. */
  readonly urls: { readonly postgres: string; readonly redis: string }
  /** Append-only file of what was committed; continued when it is there. */
  readonly file: string
  /** Rows a second and store; at most 200. */
  readonly rate: number
  readonly signal: AbortSignal
}

/** Rows written while the writer ran, and tries that failed (a store that was down is tried until it is back). */
export interface WriterReport {
  readonly postgres: number
  readonly redis: number
  readonly retries: number
}

/**
 * Commits numbered rows to `ledger` and keys `ledger:N` to the Redis-protocol store until the signal aborts.
 * A number is recorded in the file only after its commit was acknowledged, and never skipped.
 */
export async function runWriter(options: WriterOptions): Promise<WriterReport> {
  const entries = existsSync(options.file) ? parseLedger(readFileSync(options.file, "utf8")) : []
  const [postgres, redis] = await Promise.all([
    writeStore("postgres", openPostgres(options.urls.postgres), entries, options),
    writeStore("redis", openRedis(options.urls.redis), entries, options),
  ])
  return { postgres: postgres.written, redis: redis.written, retries: postgres.retries + redis.retries }
}

async function writeStore(
  store: Store,
  connection: StoreConnection,
  entries: readonly LedgerEntry[],
  { file, rate, signal }: WriterOptions,
): Promise<{ written: number; retries: number }> {
  const done = { written: 0, retries: 0 }
  let id = 1 + entries.filter((entry) => entry.store === store).reduce((most, entry) => Math.max(most, entry.id), 0)
  const gap = 1000 / Math.min(rate, 200)
  let next = Date.now()
  while (!signal.aborted) {
    try {
      await connection.write(id, checksum(id))
      // One write call a line: lines of two stores in one file are never torn.
      appendFileSync(file, `${store} ${id} ${checksum(id)} ${Date.now()}\n`)
      id += 1
      done.written += 1
      next = Math.max(next + gap, Date.now() - 1000)
    } catch {
      // The store is down or being replaced: the same number again until it is committed. Counted, and told in the report.
      done.retries += 1
      next = Date.now() + 100
    }
    await pause(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => undefined)
  }
  await connection.close()
  return done
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      for: { type: "string", default: "600" },
      rate: { type: "string", default: "20" },
      slot: { type: "string", default: "0" },
      file: { type: "string" },
    },
  })
  const bed = testbed(Number(values.slot))
  const stop = new AbortController()
  for (const name of ["SIGTERM", "SIGINT"]) once(process, name).then(() => stop.abort(), stop.abort)
  const report = await runWriter({
    urls: storeUrls(bed.stack),
    file: values.file ?? `${bed.state}/ledger-${bed.stack.project}`,
    rate: Number(values.rate),
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(Math.min(Number(values.for), 3600) * 1000)]),
  })
  console.log(JSON.stringify(report))
  process.exit(0)
}

if (import.meta.main) await main()
