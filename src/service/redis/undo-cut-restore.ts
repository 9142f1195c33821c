import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { CutRestore, Service } from "../driver.ts"
import { redisScript } from "./ask-server.ts"
import { awaitQuiet, killNow } from "./await-quiet.ts"
import { readSettings } from "./data-settings.ts"
import { contentsOf } from "./restore-checks.ts"
import type { RedisKind } from "./server-answer.ts"

/**
 * Puts back what a restore that was cut off had moved aside. A server that may have loaded what it brought is killed rather
 * than stopped, for its save would go over the data of before; what it had loaded is kept as `.failed-restore-ID`.
 */
export async function undoCutRestore(
  service: Service,
  container: Container,
  { ids, backup, work }: CutRestore & { readonly work: Work },
): Promise<void> {
  if (backup === undefined) return
  const settings = await readSettings(service, container, contentsOf(service.name, backup).product as RedisKind)
  await awaitQuiet(service, container, settings)
  for (const id of ids) {
    const place = [container.id, container.imageId, settings.directory, id]
    const look = redisScript("redis-left", { effect: "read", args: place, parts: ["redis-data"] })
    const left = await work.check(`look-${service.name}`, async () => (await service.host.run(look)).stdout.trim(), "")
    if (left === "nothing") continue
    if (left !== "staged" && left !== "moved")
      throw failure("restore-unknown", `what a restore left of ${service.name} cannot be seen: ${left.slice(0, 200)}`)
    if (left === "moved" && (container.state === "running" || container.state === "restarting"))
      await work.step(`kill-${service.name}`, killNow(container))
    const files = [settings.file, settings.append?.directory ?? "-"]
    await work.step(
      `undo-${service.name}`,
      redisScript("redis-undo", { effect: "change", args: [...place, ...files], parts: ["redis-data"] }),
    )
  }
}
