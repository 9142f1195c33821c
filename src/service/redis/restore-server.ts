import { failure, messageOf } from "../../core/errors.ts"
import type { ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { type Command, change } from "../../shell/command.ts"
import type { RestoreReport, Service } from "../driver.ts"
import { askServer, redisScript } from "./ask-server.ts"
import { compareLoaded } from "./compare-loaded.ts"
import { type DataSettings, readSettings, restoredNames } from "./data-settings.ts"
import { checkBackup, contentsOf } from "./restore-checks.ts"
import { type RedisKind, totalKeys } from "./server-answer.ts"
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
  const settings = await readSettings(service, container, contents.product as RedisKind)
  const plan = { service, container, backup, settings, work }
  // How far it came decides what a failure has to undo.
  let reached: Reached = "staged"
  try {
    await stage(plan, contents.product as RedisKind)
    await refuseSharedData(service, container, settings.mount)
    reached = "stopped"
    await makeStop(plan)
    reached = "swapped"
    await work.step(`swap-${service.name}`, atData(plan, "redis-swap", loadArguments(settings)))
    await work.step(`start-${service.name}`, service.stack.start([container]))
    await work.check(`loaded-${service.name}`, () => proveLoaded(plan), undefined)
  } catch (error) {
    await undo(plan, reached, error)
  }
  const kept = `what ${service.name} held before lies in its data directory (${settings.mount.source}), in .pre-restore-${work.id}`
  return { tables: 0, rows: 0, keys: totalKeys(contents.keyspace), kept }
}

type Reached = "staged" | "stopped" | "swapped"

async function stage({ service, container, backup, settings, work }: Plan, product: RedisKind): Promise<void> {
  const files = backup.artifacts.map(({ file }) => file)
  const names = restoredNames(files, { product, settings, id: work.id })
  for (const [index, { file, sha256, name }] of backup.artifacts.entries()) {
    const step = files.length === 1 ? `stage-${service.name}` : `stage-${service.name}-${index}`
    const args = [`${service.backups}/${file}`, sha256, names.get(file) ?? name]
    await work.step(step, atData({ container, settings, work }, "redis-stage", args), { timeout: stageLimit })
  }
}

/** A server that serves saves first, as the way back; one that does not has nothing more to save. */
async function makeStop({ service, container, work }: Plan): Promise<void> {
  if (container.state === "running" && (await askServer(service, container)).ping === "PONG") {
    await stopServer(service, container, work)
  } else {
    await endServer(service, container, work)
  }
}

async function proveLoaded({ service, container, backup }: Plan): Promise<void> {
  const bytes = backup.artifacts.reduce((sum, one) => sum + one.bytes, 0)
  const answer = await waitForServer(service, container, loadLimit(bytes))
  const different = compareLoaded(contentsOf(service.name, backup).keyspace, answer)
  if (different.length > 0) {
    throw failure("restore-differs", `${service.name} did not load what the backup holds: ${different.join("; ")}`)
  }
}

/** Kills rather than stops: there is nothing to be saved of data that is wrong. Then the old data serves again. */
async function undo(plan: Plan, reached: Reached, reason: unknown): Promise<never> {
  const { service, container, settings, work } = plan
  try {
    if (reached === "swapped") {
      await work.step(`kill-${service.name}`, change`docker kill ${container.id} || docker stop -t 0 ${container.id}`)
    }
    await work.step(`undo-${service.name}`, atData(plan, "redis-undo", loadArguments(settings).slice(0, 2)))
    if (reached !== "staged" && container.state !== "exited" && container.state !== "created") {
      await work.step(`start-old-${service.name}`, service.stack.start([container]))
      await work.check(`old-serves-${service.name}`, () => waitForServer(service, container, loadLimit(0)), undefined)
    }
  } catch (error) {
    const hint = `The data before the restore lies in ${settings.mount.source}, in .pre-restore-${work.id} if it was moved.`
    throw failure(
      "restore-undo-failed",
      `${messageOf(reason)}; putting the old data back failed, too: ${messageOf(error)}`,
      {
        hint,
        cause: reason,
      },
    )
  }
  throw failure("restore-failed", `${messageOf(reason)}; the data of before the restore is in its place`, {
    cause: reason,
  })
}

type Place = Pick<Plan, "container" | "settings" | "work">

function atData({ container, settings, work }: Place, name: string, rest: readonly string[]): Command {
  const args = [container.id, container.imageId, settings.directory, work.id, ...rest]
  return redisScript(name, { effect: "change", args, parts: ["redis-data"] })
}

/** What a start of the server would load: its file, and its append-only files when they are on. */
function loadArguments({ file, append }: DataSettings): readonly string[] {
  return [file, append?.directory ?? "-", append?.file ?? "appendonly.aof"]
}
