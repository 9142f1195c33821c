import { failure } from "../../core/errors.ts"
import type { Fingerprint } from "../../core/fingerprint.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { portOf, redisScript } from "./ask-server.ts"
import { fingerprintBeforeStop } from "./fingerprint-server.ts"
import { orRefused } from "./refused-command.ts"

/** Seconds for the save that comes with the stop: a server killed in it loses what it has not written. */
const grace = 600

/**
 * Saves and proves it, then stops: a save that fails on the way out is told by neither Dragonfly's exit code nor
 * Docker's. The container is left stopped; throws when the data may not be on disk. Gives the fingerprint before the save.
 */
export async function stopServer(service: Service, container: Container, work: Work): Promise<Fingerprint> {
  const fingerprint = await fingerprintBeforeStop(service, container)
  if (container.state === "running") {
    const save = redisScript("redis-save", { effect: "change", args: [container.id, portOf(service), 3600] })
    await work.step(`save-${service.name}`, save, { timeout: 3_600_000 }).catch(orRefused(service))
  }
  await endServer(service, container, work)
  return fingerprint
}

/** The stop alone, for a server whose data is about to be replaced or is already proven to be on disk. */
export async function endServer(service: Service, container: Container, work: Work): Promise<void> {
  const { stdout: since } = await service.host.run(sh`date +%s`)
  await work.step(`stop-${service.name}`, service.stack.stop([container], { graceSeconds: grace }), {
    timeout: (grace + 60) * 1000,
  })
  const ended = await work.check(`stopped-${service.name}`, () => endOf(service, container, since.trim()), {
    state: "exited",
    code: 0,
    complaint: "",
  })
  if (ended.state === "running" || ended.state === "restarting") {
    throw failure("service-still-runs", `${service.name} is ${ended.state} after it was stopped`)
  }
  if (ended.complaint !== "") {
    throw failure(
      "save-on-stop-failed",
      `${service.name} could not save its data when it stopped: ${ended.complaint}`,
      {
        hint: "Make room in its data directory, start it and try again; the data of its last save is in place.",
      },
    )
  }
  if (ended.code === 137 && container.state === "running") {
    throw failure("service-killed", `${service.name} did not stop within ${grace} s and was killed`)
  }
}

async function endOf(service: Service, container: Container, since: string) {
  const complaints = "Failed to perform snapshot|Errors trying to shut down|Error trying to save the DB"
  const { stdout } = await service.host.run(
    sh`docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' ${container.id} || exit 3
docker logs --since ${since} ${container.id} 2>&1 | grep -E ${complaints} | tail -n 1`,
  )
  const [first = "", complaint = ""] = stdout.split("\n")
  const [state = "unknown", code = "0"] = first.split(" ")
  if (first === "") throw failure("container-gone", `the container of ${service.name} is gone`)
  return { state, code: Number(code), complaint: complaint.trim() }
}
