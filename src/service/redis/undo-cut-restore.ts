import { setTimeout as sleep } from "node:timers/promises"
import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { change, sh } from "../../shell/command.ts"
import type { CutRestore, Service } from "../driver.ts"
import { redisScript } from "./ask-server.ts"
import { type DataSettings, readSettings } from "./data-settings.ts"
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
      await work.step(
        `kill-${service.name}`,
        change`docker kill ${container.id} || docker stop -t 0 ${container.id} || exit; docker wait ${container.id}`,
      )
    const files = [settings.file, settings.append?.directory ?? "-"]
    await work.step(
      `undo-${service.name}`,
      redisScript("redis-undo", { effect: "change", args: [...place, ...files], parts: ["redis-data"] }),
    )
  }
}

/** A container that moves files for a restore outlives the death of what started it, by moments: its input has ended. */
async function awaitQuiet(service: Service, container: Container, { mount }: DataSettings): Promise<void> {
  for (const until = Date.now() + 60_000; ; ) {
    const mounting = await service.stack.mounting([mount.volume ?? mount.source])
    const { stdout } = await service.host.run(sh`docker ps --quiet --no-trunc --filter label=infra-actions.scratch=1`)
    const ours = mounting.find(({ id }) => id !== container.id && stdout.includes(id))
    if (!ours) return
    if (Date.now() > until)
      throw failure("restore-alive", `${ours.name}, which moves files of ${service.name}, does not end`)
    await sleep(300)
  }
}
