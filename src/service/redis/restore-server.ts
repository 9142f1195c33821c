import { failure } from "../../core/errors.ts"
import type { Fingerprint } from "../../core/fingerprint.ts"
import { keysIn } from "../../core/key-counts.ts"
import type { ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { RestoreReport, Service } from "../driver.ts"
import { askServer, explainPing } from "./ask-server.ts"
import { compareLoaded } from "./compare-loaded.ts"
import { type DataSettings, readSettings, restoredNames } from "./data-settings.ts"
import { atData, loadArguments } from "./data-work.ts"
import { keptFolder, keptNote } from "./kept-data.ts"
import { keysRead } from "./keys-read.ts"
import { putBack, type Reached } from "./put-back.ts"
import { assertMaster } from "./replication.ts"
import { checkBackup, contentsOf } from "./restore-checks.ts"
import type { RedisKind, ServerAnswer } from "./server-answer.ts"
import { endServer, stopServer } from "./stop-server.ts"
import { loadLimit, refuseSharedData, waitForServer } from "./wait-server.ts"

/** Half an hour: the longest that bringing one file beside the live data may take. */
const stageLimit = 1_800_000

interface Plan {
  readonly service: Service
  readonly container: Container
  readonly backup: ServiceBackup
  readonly settings: DataSettings
  readonly work: Work
}

/**
 * Brings a snapshot back. Everything is checked and staged beside the live data before the server is stopped; what it
 * would have loaded is moved aside and kept; when it does not come up with exactly the snapshot's keys, that is put back.
 */
export async function restoreServer(
  service: Service,
  container: Container,
  { backup, work }: { readonly backup: ServiceBackup; readonly work: Work },
): Promise<RestoreReport> {
  const contents = contentsOf(service.name, backup)
  await work.check(`check-${service.name}`, () => checkBackup(service, container, backup), undefined)
  await work.check(`answers-${service.name}`, () => serves(service, container), true)
  const settings = await readSettings(service, container, contents.product as RedisKind)
  const plan = { service, container, backup, settings, work }
  let reached: Reached = "staged"
  let caveat: string | undefined
  try {
    await stage(plan, contents.product as RedisKind)
    await refuseSharedData(service, container, settings.mount)
    const isServing = await serves(service, container)
    reached = "stopped"
    const held = await makeStop(plan, isServing)
    reached = "swapped"
    await work.step(
      `swap-${service.name}`,
      atData(plan, "redis-swap", [...loadArguments(settings), keptNote(settings, work.id, held)]),
    )
    await work.step(`start-${service.name}`, service.stack.start([container]))
    caveat = await work.check(`loaded-${service.name}`, () => proveLoaded(plan), undefined)
  } catch (error) {
    await putBack({ ...plan, reached }, error)
  }
  const kept = `what ${service.name} held before lies in its data directory (${settings.mount.source}), in ${keptFolder(work.id)}`
  return { tables: 0, rows: 0, keys: keysIn(contents), kept, ...(caveat === undefined ? {} : { caveat }) }
}

async function stage({ service, container, backup, settings, work }: Plan, product: RedisKind): Promise<void> {
  const files = backup.artifacts.map(({ file }) => file)
  const names = restoredNames(files, { product, settings, id: work.id })
  for (const [index, { file, sha256, name }] of backup.artifacts.entries()) {
    const step = files.length === 1 ? `stage-${service.name}` : `stage-${service.name}-${index}`
    const args = [`${service.backups}/${file}`, sha256, names.get(file) ?? name]
    await work.step(step, atData({ container, settings, work }, "redis-stage", args), { timeout: stageLimit })
  }
}

/**
 * Whether it serves. Refuses a replica. Throws `redis-not-ready` where it runs and says anything else but that it loads:
 * what it may hold and has not saved would be lost with its stop. After a save that failed even PING is refused (redis.conf,
 * `stop-writes-on-bgsave-error`).
 */
async function serves(service: Service, container: Container): Promise<boolean> {
  const { state } = container
  if (state !== "running" && state !== "paused") return false
  const answer = state === "running" ? await askServer(service, container) : undefined
  if (answer) assertMaster(service, answer)
  if (answer?.ping === "PONG" || answer?.ping.startsWith("LOADING")) return answer.ping === "PONG"
  const why = answer ? explainPing(answer) : "it is paused"
  throw failure("redis-not-ready", `${service.name} runs, and may hold what it has not saved: ${why}`, {
    hint: "Mend that; or stop its container, which gives up what it has not saved. Then restore again. Nothing was changed.",
  })
}

/** A server that serves saves first, as the way back; one that does not has nothing more to save. */
async function makeStop({ service, container, work }: Plan, isServing: boolean): Promise<Fingerprint | undefined> {
  if (isServing) return stopServer(service, container, work)
  await endServer(service, container, work)
  return undefined
}

/** Gives what could not be compared exactly. */
async function proveLoaded({ service, container, backup }: Plan): Promise<string | undefined> {
  const bytes = backup.artifacts.reduce((sum, one) => sum + one.bytes, 0)
  const answer = await waitForServer(service, container, loadLimit(bytes))
  // One that was stopped could not be asked before.
  assertMaster(service, answer)
  const read = await keysRead(service, container, answer)
  const { different, caveat } = compareLoaded(contentsOf(service.name, backup), answer, read)
  const evicted = evictionsOf(answer)
  if (different.length > 0) {
    const all = evicted === undefined ? different : [...different, evicted]
    throw failure("restore-differs", `${service.name} did not load what the backup holds: ${all.join("; ")}`, {
      ...(evicted !== undefined && {
        hint: `Raise maxmemory of ${service.name} to what the backup's server had, or set maxmemory-policy to noeviction; then restore again.`,
      }),
    })
  }
  return [caveat, evicted && `All its keys were read, but ${evicted}.`].filter(Boolean).join(" ") || undefined
}

/** One phrase about the keys that a server has thrown out since its start; undefined when there are none. */
function evictionsOf({ fields }: ServerAnswer): string | undefined {
  const { evicted_keys: keys = "0", maxmemory, maxmemory_policy: policy } = fields
  if (Number(keys) === 0) return undefined
  return `it evicted ${keys} of them by now, for its maxmemory is ${maxmemory} bytes (maxmemory-policy ${policy})`
}
