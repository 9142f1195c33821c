import { setTimeout as sleep } from "node:timers/promises"
import { failure } from "../../core/errors.ts"
import { compareDatabases } from "../../core/manifest-contents.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { sh } from "../../shell/command.ts"
import type { CutRestore } from "../cut-work.ts"
import type { CutRestores, CutUndos, Service } from "../driver.ts"
import { countDatabases } from "./count-databases.ts"
import { besideLabel } from "./place.ts"
import { dropToMakeRoom } from "./restore-in-place.ts"
import { dropLeftovers } from "./restore-steps.ts"
import { markOf, readServer } from "./server-facts.ts"
import { undoRestore } from "./undo-restore.ts"

/**
 * Names are the journal: a restore that was swapped in left the replaced databases with its mark, one that was not left new
 * ones beside the live. One in place leaves none; its databases have their names again once they are swapped in, never before.
 */
export const cutRestores: CutRestores = {
  async isIn(service, container, cut) {
    await awaitQuiet(service, container)
    return isIn(service, container, cut)
  },
  async undo(service, container, cut, work) {
    await awaitQuiet(service, container)
    const marked = await markedBy(service, container, cut)
    if (cut.dropped)
      await dropToMakeRoom(
        { service, container, work },
        marked.filter((one) => one.mark.leaving).map((one) => one.name),
      )
    else if (marked.length > 0) await undoRestore(service, container, work, { only: cut.ids, failed: true })
    await dropLeftovers(await jobOf(service, container, work))
  },
}

/** One transaction: all of it or nothing. */
export const cutUndos: CutUndos = {
  async look(service, container, { name }) {
    await awaitQuiet(service, container)
    const { databases } = await readServer(service, container)
    const kept = databases.find((one) => one.name === name)
    return kept && markOf(kept)?.["infra-actions"] === "replaced" ? "untouched" : "taken"
  },
}

async function isIn(service: Service, container: Container, cut: CutRestore): Promise<boolean> {
  if (cut.dropped) return isInPlace(service, container, cut)
  return (await markedBy(service, container, cut)).some((one) => !one.mark.leaving)
}

/** Somebody may have made a database of that name meanwhile: only what the backup holds is what was restored. */
async function isInPlace(service: Service, container: Container, { backup }: CutRestore): Promise<boolean> {
  if (backup?.contents.kind !== "postgres") return false
  const { databases: expected } = backup.contents
  const live = (await readServer(service, container)).databases
  if (!expected.every(({ name }) => live.some((one) => one.name === name))) return false
  const names = expected.map(({ name }) => name)
  return compareDatabases(expected, await countDatabases(service, container, names)).length === 0
}

/** What the works that took part moved aside, but for what an undo of theirs did. */
async function markedBy(service: Service, container: Container, { ids }: CutRestore) {
  const { databases } = await readServer(service, container)
  return databases.flatMap((one) => {
    const mark = markOf(one)
    const isTheirs = mark?.run !== undefined && ids.includes(mark.run)
    return isTheirs && mark["infra-actions"] === "replaced" && !mark.failed ? [{ name: one.name, mark }] : []
  })
}

async function jobOf(service: Service, container: Container, work: Work) {
  return { service, container, work, server: await readServer(service, container) }
}

/** Milliseconds: a swap tries three times, and waits five seconds for sessions each time. */
const limit = 60_000

/**
 * A script inside the container or beside it outlives the death of what started it: a restore until it sees that its input
 * has ended, a swap to its end. Only then do the names tell how far it came.
 */
async function awaitQuiet({ host, name }: Service, { id }: Container): Promise<void> {
  for (const until = Date.now() + limit; ; ) {
    const { stdout } = await host.run(
      sh`docker ps --quiet --filter ${besideLabel(id)} && docker exec ${id} sh -c ${atWork}`,
    )
    if (stdout.trim() === "") return
    if (Date.now() > until)
      throw failure("restore-alive", `a restore that was cut off still works at ${name}`, {
        hint: "Look at pg_stat_activity for sessions named infra-actions-..., then run this again.",
      })
    await sleep(300)
  }
}

/** Brackets keep the pattern from finding itself. */
const atWork = `for one in /proc/[0-9]*/cmdline; do
  if tr '\\0' ' ' <"$one" 2>/dev/null | grep -q -e 'infra-actions-[s]wap' -e 'infra-actions-[r]estore'; then echo yes; exit; fi
done`
