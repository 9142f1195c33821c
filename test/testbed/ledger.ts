import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { openPostgres, openRedis, type StoreConnection } from "./store-connection.ts"

/** Milliseconds that a store on a busy machine may take to give all that it has. */
export const patience = 30_000

export type Store = "postgres" | "redis"

/** One line of the writer's file: this number was acknowledged as committed at this time (epoch milliseconds). */
export interface LedgerEntry {
  readonly store: Store
  readonly id: number
  readonly checksum: string
  readonly at: number
}

/** Of the numbers recorded: how many are in the store, gone, or there with another checksum. */
export interface LedgerCheck {
  readonly recorded: number
  readonly lost: number
  readonly damaged: number
  /** The first few numbers lost. */
  readonly firstLost: readonly number[]
}

export interface CheckOptions {
  /** Only what was committed before this time (epoch milliseconds), for example when the backup began. */
  readonly before?: number
}

/** Compares what the writer saw committed with what the stores hold now. Rejects when a store cannot be read. */
export async function checkLedger(
  file: string,
  urls: { readonly postgres: string; readonly redis: string },
  { before = Number.POSITIVE_INFINITY }: CheckOptions = {},
): Promise<{ readonly postgres: LedgerCheck; readonly redis: LedgerCheck }> {
  const entries = parseLedger(readFileSync(file, "utf8")).filter((entry) => entry.at < before)
  const [postgres, redis] = await Promise.all([
    compare("postgres", entries, openPostgres(urls.postgres, patience)),
    compare("redis", entries, openRedis(urls.redis, patience)),
  ])
  return { postgres, redis }
}

/** The checksum belonging to a number: what any damage to number or text would no longer match. */
export function checksum(id: number): string {
  return createHash("sha256").update(`row ${id}`).digest("hex").slice(0, 32)
}

/** Lines of the writer's file; a torn last line (the writer was killed) is left out, any other bad line throws. */
export function parseLedger(text: string): readonly LedgerEntry[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const match = /^(postgres|redis) (\d+) ([0-9a-f]{32}) (\d+)$/.exec(line)
      if (!match) throw new Error(`not a line of the writer's file: ${line}`)
      return { store: match[1] as Store, id: Number(match[2]), checksum: match[3] ?? "", at: Number(match[4]) }
    })
}

/** Waits until the writer's file has so many lines of each store. Rejects after two minutes. */
export async function written(file: string, lines: number): Promise<void> {
  for (const end = Date.now() + 120_000; ; await pause(50)) {
    const entries = existsSync(file) ? parseLedger(readFileSync(file, "utf8")) : []
    const counts = (["postgres", "redis"] as const).map((one) => entries.filter(({ store }) => store === one).length)
    if (Math.min(...counts) >= lines) return
    if (Date.now() > end) throw new Error(`the writer has written ${counts.join(" rows and ")} keys in two minutes`)
  }
}

async function compare(
  store: Store,
  entries: readonly LedgerEntry[],
  connection: StoreConnection,
): Promise<LedgerCheck> {
  try {
    const recorded = entries.filter((entry) => entry.store === store)
    const present = recorded.length > 0 ? await connection.read() : new Map<number, string>()
    const lost = recorded.filter((entry) => !present.has(entry.id))
    const damaged = recorded.filter((entry) => present.has(entry.id) && present.get(entry.id) !== entry.checksum)
    return {
      recorded: recorded.length,
      lost: lost.length,
      damaged: damaged.length,
      firstLost: lost.slice(0, 5).map((entry) => entry.id),
    }
  } finally {
    await connection.close()
  }
}
