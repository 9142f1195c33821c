import { createClient } from "@redis/client"
import pg from "pg"

/** What the writer and its check need of a store. Every call rejects within `limit` milliseconds when the store is not there. */
export interface StoreConnection {
  /** Resolves once the row is committed; a second write of the same number changes nothing. */
  write(id: number, checksum: string): Promise<void>
  /** Numbers present, with their checksums. */
  read(): Promise<ReadonlyMap<number, string>>
  close(): Promise<void>
}

/** Two seconds, unless told, after which a writer looks whether the store is back. */
const soon = 2000

/** Rows in table `ledger`; reconnects by itself. */
export function openPostgres(connectionString: string, limit = soon): StoreConnection {
  const pool = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: limit, query_timeout: limit })
  // An idle connection that breaks: the next write makes a new one and meets the fault itself.
  pool.on("error", () => undefined)
  return {
    async write(id, checksum) {
      const text = "insert into ledger (id, payload, checksum) values ($1, $2, $3) on conflict (id) do nothing"
      await pool.query(text, [id, `row ${id}`, checksum])
    },
    async read() {
      const text = "select id::int, checksum from ledger"
      const { rows } = await pool.query<{ id: number; checksum: string }>(text)
      return new Map(rows.map((row) => [row.id, row.checksum]))
    },
    close: () => pool.end(),
  }
}

/** Keys `ledger:N` whose value is the checksum; reconnects by itself. */
export function openRedis(url: string, limit = soon): StoreConnection {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandOptions: { timeout: limit },
    socket: { connectTimeout: limit, reconnectStrategy: 100 },
  })
  // Told to whoever writes next: with the offline queue off, a command without connection rejects.
  client.on("error", () => undefined)
  const connected = client.connect().then(
    () => undefined,
    () => undefined,
  )
  const ready = () => Promise.race([connected, new Promise((resolve) => setTimeout(resolve, limit))])
  return {
    async write(id, checksum) {
      await ready()
      await client.set(`ledger:${id}`, checksum)
    },
    async read() {
      await ready()
      const found = new Map<number, string>()
      for await (const keys of client.scanIterator({ MATCH: "ledger:*", COUNT: 1000 })) {
        if (keys.length === 0) continue
        const values = await client.mGet(keys)
        keys.forEach((key, index) => {
          found.set(Number(key.slice("ledger:".length)), values[index] ?? "")
        })
      }
      return found
    },
    async close() {
      client.destroy()
    },
  }
}
