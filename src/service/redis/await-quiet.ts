import { setTimeout as sleep } from "node:timers/promises"
import { failure } from "../../core/errors.ts"
import { killNow } from "../../docker/kill-now.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"

/** Kills a server, if it runs at all: what it has loaded is not what is to stay. */
export async function killRunning(service: Service, container: Container, work: Work): Promise<void> {
  if (container.state === "running" || container.state === "restarting")
    await work.step(`kill-${service.name}`, killNow(container))
}

/** A container that moves files for a restore outlives the death of what started it, by moments: its input has ended. */
export async function awaitQuiet(service: Service, container: Container): Promise<void> {
  const sources = container.mounts.filter(({ writable }) => writable).map(({ volume, source }) => volume ?? source)
  for (const until = Date.now() + 60_000; ; ) {
    const mounting = await service.stack.mounting(sources)
    const { stdout } = await service.host.run(sh`docker ps --quiet --no-trunc --filter label=infra-actions.scratch=1`)
    const ours = mounting.find(({ id }) => id !== container.id && stdout.includes(id))
    if (!ours) return
    if (Date.now() > until)
      throw failure("restore-alive", `${ours.name}, which moves files of ${service.name}, does not end`)
    await sleep(300)
  }
}
