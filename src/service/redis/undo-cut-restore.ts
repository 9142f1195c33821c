import { posix } from "node:path"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { Command } from "../../shell/command.ts"
import type { CutRestore } from "../cut-work.ts"
import type { CutRestores, Service } from "../driver.ts"
import { redisScript } from "./ask-server.ts"
import { awaitQuiet, killRunning } from "./await-quiet.ts"
import { findLeft, type LeftFolder } from "./find-left.ts"
import { heldBefore, keptFolder } from "./kept-data.ts"

/**
 * Puts back what a restore that was cut off had moved aside. A server that may have loaded what it brought is killed rather
 * than stopped, for its save would go over the data of before; what it had loaded is kept as `.failed-restore-ID`.
 */
export const cutRestores: CutRestores = {
  async held(service, container, { ids, backup }) {
    if (backup === undefined) return undefined
    await awaitQuiet(service, container)
    // What the first of them had moved aside is what serves when all are undone.
    for (const id of ids.toReversed()) {
      const held = heldBefore(service.name, (await findLeft(service, container, [keptFolder(id)]))[0]?.note)
      if (held) return held
    }
    return undefined
  },
  async left(service, container, { ids, backup }) {
    if (backup === undefined) return []
    await awaitQuiet(service, container)
    const names = ids.flatMap((id) => [keptFolder(id), staging(id)])
    const found = await findLeft(service, container, names)
    return found.map((one) => ({
      place: placeOf(container, one),
      what: ids.some((id) => one.name === staging(id)) ? "brought" : one.note ? "kept" : "part",
    }))
  },
  async undo(service, container, { ids, backup }: CutRestore, work) {
    if (backup === undefined) return
    await awaitQuiet(service, container)
    for (const id of ids) {
      const look = () => findLeft(service, container, [keptFolder(id), staging(id)])
      const [left] = await work.check(`look-${service.name}`, look, [])
      if (left) await putBack({ service, container, work }, id, left)
    }
  },
}

/** Where a restore brings its files first. */
function staging(id: string): string {
  return `.restore-${id}`
}

/** On the host, with the volume's name where it has one. */
function placeOf({ mounts }: Container, { name, directory }: LeftFolder): string {
  const isIn = (target: string) => directory === target || directory.startsWith(`${target}/`)
  const mount = mounts.filter(({ target }) => isIn(target)).toSorted((a, b) => b.target.length - a.target.length)[0]
  if (!mount) return posix.join(directory, name)
  const path = posix.join(mount.source, posix.relative(mount.target, directory), name)
  return mount.volume === undefined ? path : `${path} (volume ${mount.volume})`
}

interface Place {
  readonly service: Service
  readonly container: Container
  readonly work: Work
}

/** The first folder that was found: the one of what was moved aside, where there is one. */
async function putBack({ service, container, work }: Place, id: string, left: LeftFolder) {
  if (left.name === keptFolder(id)) await killRunning(service, container, work)
  await work.step(`undo-${service.name}`, undoCommand(container, id, left))
}

/** Puts back what the work `id` had moved aside; what that had brought is kept, as `brought` where it had a name of its own. */
export function undoCommand(
  container: Container,
  id: string,
  { directory, note }: LeftFolder,
  brought?: string,
): Command {
  const place = [container.id, container.imageId, directory, id, note?.file ?? "-", note?.append ?? "-"]
  const args = brought === undefined ? place : [...place, brought]
  return redisScript("redis-undo", { effect: "change", args, parts: ["redis-data"] })
}
