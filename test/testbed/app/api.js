import { createServer } from "node:http"
import { migrate } from "./migrate.js"
import { openStores, pause } from "./stores.js"

/** The HTTP side: migrates, listens, and on SIGTERM serves on until nobody asks any more. */
export async function startApi(settings) {
  const stores = await openStores(settings)
  await migrateWhenReady(stores.database)
  if (settings.variant === "slow-start") await pause(8000)
  const traffic = { active: 0, last: 0, stopping: false }
  const server = createServer(async (request, response) => {
    traffic.active += 1
    traffic.last = Date.now()
    // A connection that the proxy keeps would hold the copy for ever.
    if (traffic.stopping) response.setHeader("connection", "close")
    response.once("close", () => {
      traffic.active -= 1
      traffic.last = Date.now()
    })
    try {
      const [status, body] = await answer(request, stores, settings)
      response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`)
    } catch (error) {
      console.error(`${request.method} ${request.url}: ${error.message}`)
      response
        .writeHead(500, { "content-type": "application/json" })
        .end(`${JSON.stringify({ error: "internal error" })}\n`)
    }
  })
  // Longer than nginx keeps idle connections, or a POST meets a closing one now and then.
  server.keepAliveTimeout = 75_000
  server.listen(settings.port, () => console.log(`api ${settings.version} listens on ${settings.port}`))
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => stop(server, stores, traffic))
}

/** Stopping: go on serving until nothing ran for half a second, ten seconds at most; only then refuse. */
async function stop(server, stores, traffic) {
  if (traffic.stopping) return
  traffic.stopping = true
  console.log("stopping")
  const end = Date.now() + 10_000
  while (Date.now() < end && (traffic.active > 0 || Date.now() - traffic.last < 500)) await pause(50)
  server.close()
  server.closeAllConnections()
  await stores.close()
  process.exit(0)
}

async function migrateWhenReady(database) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await migrate(database)
    } catch (error) {
      console.error(`migrations (try ${tries}): ${error.message}`)
      if (tries === 30) process.exit(1)
      await pause(1000)
    }
  }
}

async function answer(request, stores, settings) {
  const url = new URL(request.url, "http://localhost")
  const { version, variant } = settings
  const route = `${request.method} ${url.pathname}`
  if (route === "GET /health") return health(stores, settings)
  if (route === "GET /version") return [200, { version: variant === "wrong" ? "unknown" : version }]
  if (route === "GET /slow") {
    const ms = Math.min(Number(url.searchParams.get("ms") ?? 1000), 30_000)
    await pause(ms)
    return [200, { version, ms }]
  }
  if (variant === "wrong") return [500, { error: "internal error" }]
  if (route === "GET /") return [200, { service: "sample-app", version }]
  if (route === "GET /appointments") {
    const { rows } = await stores.database.query("select count(*)::int as appointments from appointments")
    return [200, { version, ...rows[0] }]
  }
  if (route === "POST /appointments") {
    const { rows } = await stores.database.query(
      "insert into appointments (user_id, starts_at, note) select min(id), now(), 'booked' from users returning id",
    )
    await stores.redis.lPush("jobs", `confirm appointment ${rows[0].id}`)
    return [201, { version, id: Number(rows[0].id) }]
  }
  return [404, { error: "not found" }]
}

async function health({ database, redis }, { version, variant }) {
  if (variant === "never-healthy") return [503, { version, postgres: "ok", redis: "unreachable" }]
  const check = (promise) =>
    promise.then(
      () => "ok",
      (error) => error.message || "failed",
    )
  const [postgres, store] = await Promise.all([check(database.query("select 1")), check(redis.ping())])
  const good = postgres === "ok" && store === "ok"
  return [good ? 200 : 503, { version, postgres, redis: store }]
}
