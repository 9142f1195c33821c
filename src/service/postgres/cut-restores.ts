import { setTimeout as sleep } from "node:timers/promises"
import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { sh } from "../../shell/command.ts"
import type { CutRestore, CutRestores, CutUndos, Service } from "../driver.ts"
import { besideLabel } from "./place.ts"
import { dropLeftovers } from "./restore-steps.ts"
import { markOf, readServer } from "./server-facts.ts"
import { undoRestore } from "./undo-restore.ts"

/** Names are the journal: a restore that was swapped in left the replaced databases with its mark, one that was not left new ones beside the live. */
export const cutRestores: CutRestores = {
  async isIn(service, container, cut) {
    await awaitQuiet(service, container)
    return isIn(service, container, cut)
  },
  async undo(service, container, cut, work) {
    await awaitQuiet(service, container)
    if (await isIn(service, container, cut)) await undoRestore(service, container, work, cut.ids)
    await dropLeftovers(await jobOf(service, container, work))
  },
}

/** One transaction: all of it or nothing. */
export const cutUndos: CutUndos = {
  async look(service, container, { name }) {
    await awaitQuiet(service, container)
    const { databases } = await readServer(service, container)
    return databases.some((one) => one.name === name) ? "untouched" : "taken"
  },
}

async function isIn(service: Service, container: Container, { ids }: CutRestore): Promise<boolean> {
  const { databases } = await readServer(service, container)
  return databases.some((one) => {
    const mark = markOf(one)
    return mark?.["infra-actions"] === "replaced" && mark.run !== undefined && ids.includes(mark.run)
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
