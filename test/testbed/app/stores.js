import { createClient } from "@redis/client"
import pg from "pg"

/** Both stores, surviving their restarts: an idle connection that breaks is logged and made anew. */
export async function openStores({ databaseUrl, redisUrl }) {
  const database = new pg.Pool({
    connectionString: databaseUrl,
    max: 5,
    connectionTimeoutMillis: 2000,
    query_timeout: 10_000,
  })
  database.on("error", (error) => console.error(`postgres: ${error.message}`))
  const redis = createClient({
    url: redisUrl,
    disableOfflineQueue: true,
    socket: { connectTimeout: 2000, reconnectStrategy: (tries) => Math.min(100 * tries, 1000) },
  })
  redis.on("error", (error) => console.error(`redis: ${error.message}`))
  redis.connect().catch((error) => console.error(`redis: ${error.message}`))
  return {
    database,
    redis,
    async close() {
      redis.destroy()
      await database.end()
    },
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
