import { writeFile } from "node:fs/promises"
import { openStores, pause } from "./stores.js"

export const aliveFile = "/tmp/worker-alive"

/** Takes jobs from the list one by one; a job leaves `jobs:taken` only once its row is committed. */
export async function startWorker(settings) {
  const stores = await openStores(settings)
  let stopping = false
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      stopping = true
    })
  }
  console.log(`worker ${settings.version} takes jobs`)
  while (!stopping) {
    try {
      await takeOne(stores)
      if (settings.variant !== "never-healthy") await writeFile(aliveFile, String(Date.now()))
    } catch (error) {
      console.error(`worker: ${error.message}`)
      await pause(500)
    }
  }
  await stores.close()
  process.exit(0)
}

async function takeOne({ database, redis }) {
  const job = (await redis.lIndex("jobs:taken", -1)) ?? (await redis.lMove("jobs", "jobs:taken", "RIGHT", "LEFT"))
  await database.query("select count(*) from jobs_done where job = ''")
  if (job === null) return pause(300)
  await database.query("insert into jobs_done (job) values ($1)", [job])
  await redis.lRem("jobs:taken", 1, job)
}
