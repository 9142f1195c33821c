import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { CutUndo, CutUndos, Service } from "../driver.ts"
import { redisScript } from "./ask-server.ts"
import { awaitQuiet, killNow } from "./await-quiet.ts"
import { type DataSettings, readSettings } from "./data-settings.ts"
import type { RedisKind } from "./server-answer.ts"

/** The folder of what is taken back goes when the server is proven to have loaded it, and not before. */
export const cutUndos: CutUndos = {
  async look(service, container, cut) {
    const settings = await settingsOf(service, container)
    await awaitQuiet(service, container, settings)
    const args = placeOf(container, settings, cut)
    const look = redisScript("redis-undo-left", { effect: "read", args: [...args, cut.name], parts: ["redis-data"] })
    const left = (await service.host.run(look)).stdout.trim()
    if (left === "taken" || left === "half" || left === "untouched") return left
    throw failure("undo-unknown", `how far an undo of ${service.name} came cannot be seen: ${left.slice(0, 200)}`)
  },
  async back(service, container, cut, work) {
    const settings = await settingsOf(service, container)
    if (container.state === "running" || container.state === "restarting")
      await work.step(`kill-${service.name}`, killNow(container))
    const args = [...placeOf(container, settings, cut), settings.file, settings.append?.directory ?? "-", cut.name]
    const undo = redisScript("redis-undo", { effect: "change", args, parts: ["redis-data"] })
    await work.step(`undo-${service.name}`, undo)
  },
}

function settingsOf(service: Service, container: Container): Promise<DataSettings> {
  return readSettings(service, container, service.kind as RedisKind)
}

function placeOf(container: Container, { directory }: DataSettings, { id }: CutUndo): readonly string[] {
  return [container.id, container.imageId, directory, id]
}
