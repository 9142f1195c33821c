import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { CutUndo } from "../cut-work.ts"
import type { CutUndos, Service } from "../driver.ts"
import { awaitQuiet, killRunning } from "./await-quiet.ts"
import { findLeft } from "./find-left.ts"
import { keptFolder } from "./kept-data.ts"
import { undoCommand } from "./undo-cut-restore.ts"

/** The folder of what is taken back goes when the server is proven to have loaded it, and not before. */
export const cutUndos: CutUndos = {
  async look(service, container, cut) {
    const { kept, aside } = await find(service, container, cut)
    if (kept) return aside ? "half" : "untouched"
    if (aside) return "taken"
    throw failure("undo-unknown", `neither ${cut.name} nor ${keptFolder(cut.id)} is on a volume of ${service.name}`)
  },
  async back(service, container, cut, work) {
    const { aside } = await find(service, container, cut)
    await killRunning(service, container, work)
    if (aside) await work.step(`undo-${service.name}`, undoCommand(container, cut.id, aside, cut.name))
  },
}

/** What it was to bring back, and what it had put aside for that. */
async function find(service: Service, container: Container, { name, id }: CutUndo) {
  await awaitQuiet(service, container)
  const found = await findLeft(service, container, [name, keptFolder(id)])
  return { kept: found.find((one) => one.name === name), aside: found.find((one) => one.name === keptFolder(id)) }
}
