import { setTimeout as sleep } from "node:timers/promises"
import { failure, refusal } from "../../core/errors.ts"
import type { Container, Mount } from "../../docker/stack.ts"
import { CommandError } from "../../host/host.ts"
import { sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { askServer, explainPing } from "./ask-server.ts"
import { commandRefused, refusedOf } from "./refused-command.ts"
import type { ServerAnswer } from "./server-answer.ts"

/** Milliseconds that a load may take: ten minutes and one more for every 256 MiB. */
export function loadLimit(bytes: number): number {
  return 600_000 + Math.ceil(bytes / 268_435_456) * 60_000
}

/** Waits until a server that was just started has loaded its data. Throws when it ends, restarts or takes too long. */
export async function waitForServer(service: Service, container: Container, limit: number): Promise<ServerAnswer> {
  const until = Date.now() + limit
  for (;;) {
    const { stdout } = await service.host.run(
      sh`docker inspect -f '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}' ${container.id}`,
    )
    const [state, restarts, code] = stdout.trim().split(" ")
    if (state !== "running" || restarts !== "0") {
      throw failure(
        "load-failed",
        `${service.name} did not come up: ${state}, ${restarts} restarts, exit code ${code}`,
        {
          hint: "See the container's log for what it could not load.",
        },
      )
    }
    const answer = await ask(service, container)
    if (answer?.ping === "PONG" && answer.fields.loading === "0") return answer
    if (Date.now() > until) {
      const reason = answer === undefined ? "no answer" : explainPing(answer)
      throw failure("load-timeout", `${service.name} did not load its data in ${limit / 1000} s: ${reason}`)
    }
    await sleep(500)
  }
}

/**
 * As `askServer`, but waits while the server loads its data, ten minutes and one more for every 256 MiB of it; anything else
 * than a server that serves then is an error.
 */
export async function askReadyServer(service: Service, container: Container): Promise<ServerAnswer> {
  for (const begun = Date.now(); ; ) {
    const answer = await askServer(service, container)
    const { ping, fields } = answer
    if (ping === "PONG" && fields.loading === "0") return answer
    const refused = refusedOf(answer)
    if (refused) throw commandRefused(service, refused)
    // Dragonfly does not tell how much it has to load, but how much it holds by now.
    const bytes = Math.max(Number(fields.loading_total_bytes ?? 0), Number(fields.used_memory ?? 0))
    const loads = ping.startsWith("LOADING") || (ping === "PONG" && fields.loading === "1")
    if (!loads || Date.now() - begun > loadLimit(bytes))
      throw failure("redis-not-ready", `${service.name} does not serve: ${explainPing(answer)}`, {
        hint: hintFor(answer),
      })
    await sleep(500)
  }
}

function hintFor({ ping }: ServerAnswer): string {
  if (ping.startsWith("MASTERDOWN")) return "Bring the link to its master back, or work on the master."
  if (!ping.startsWith("NOAUTH") && !ping.startsWith("WRONGPASS")) return "See the container's log."
  return "Give the container its password as DFLY_requirepass, REDIS_PASSWORD, VALKEY_PASSWORD or REDISCLI_AUTH, or --requirepass."
}

/** S13: no other running container may have the same data mounted when this one starts. */
export async function refuseSharedData(service: Service, container: Container, mount: Mount): Promise<void> {
  const { stdout } = await service.host.run(sh`docker ps --no-trunc --format '{{.ID}} {{.Names}} {{.Mounts}}'`)
  const source = mount.volume ?? mount.source
  for (const line of stdout.split("\n")) {
    const [id, name, mounts = ""] = line.split(" ")
    if (id === container.id || !mounts.split(",").some((one) => one === source || one.startsWith(`${source}/`)))
      continue
    throw refusal("data-shared", `the container ${name} also runs on the data of ${service.name} (${source})`, {
      hint: "Stop it first: two servers on one data directory destroy it.",
    })
  }
}

/** A container that has just been started may refuse the command; that is looked at again. */
async function ask(service: Service, container: Container): Promise<ServerAnswer | undefined> {
  try {
    return await askServer(service, container)
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}
