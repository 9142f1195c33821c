import { startApi } from "./api.js"
import { startWorker } from "./worker.js"

const settings = {
  version: process.env.APP_VERSION ?? "dev",
  variant: process.env.APP_VARIANT ?? "ok",
  databaseUrl: process.env.DATABASE_URL,
  redisUrl: process.env.REDIS_URL,
  port: Number(process.env.PORT ?? 3000),
}
const roles = { api: startApi, worker: startWorker }
const start = roles[process.argv[2]]
if (!start || !settings.databaseUrl || !settings.redisUrl) {
  console.error("usage: main.js api|worker, with DATABASE_URL and REDIS_URL set")
  process.exit(2)
}
if (settings.variant === "crash") {
  console.error("fatal: cannot read configuration: unexpected end of file")
  setTimeout(() => process.exit(1), 500)
} else {
  await start(settings)
}
