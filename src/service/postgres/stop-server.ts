import { failure } from "../../core/errors.ts"
import type { Fingerprint } from "../../core/fingerprint.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { fingerprintServer, stoppedFingerprint } from "./fingerprint-server.ts"
import { named } from "./inside.ts"

/** Seconds that a fast shutdown may take at least: its checkpoint writes all that is dirty. A quick one ends at once. */
const leastGrace = 120

/**
 * Fast shutdown, whatever stop signal the container has (SIGTERM waits for every client, and is then killed), proven
 * by the state that the control file is left in. Gives the fingerprint that the stop has left there.
 */
export async function stopServer(service: Service, container: Container, work: Work): Promise<Fingerprint> {
  const assumed = { state: "shut down", fingerprint: await fingerprintServer(service, container) }
  const { services } = await service.stack.definition()
  const period = services.find((one) => one.name === service.name)?.stopGracePeriod ?? 0
  const graceSeconds = Math.max(leastGrace, Math.ceil(period / 1000))
  await work.step(`stop-${service.name}`, service.stack.stop([container], { signal: "SIGINT", graceSeconds }), {
    timeout: (graceSeconds + 60) * 1000,
  })
  const { state, fingerprint } = await work.check(
    `state-${service.name}`,
    () => readStopped(service, container),
    assumed,
  )
  if (state === "shut down" || state === "shut down in recovery") return fingerprint
  throw failure("postgres-unclean-stop", `${service.name} did not stop cleanly: its data directory is "${state}"`, {
    hint: "Nothing was removed. Start it again, let it recover (see its log), and run again.",
  })
}

/** What the control file of a stopped container's data directory says. */
async function readStopped(
  service: Service,
  container: Container,
): Promise<{ readonly state: string; readonly fingerprint: Fingerprint }> {
  const command = script("read", remoteScript("postgres-controldata"), [container.id, container.imageId])
  const { stdout } = await service.host.run(command).catch((error: unknown) => {
    throw named(`reading the data directory of ${service.name}`, "postgres-no-controldata", error)
  })
  const state = /^Database cluster state: *(.*)$/m.exec(stdout)?.[1] ?? "unknown"
  return { state, fingerprint: stoppedFingerprint(service.name, stdout) }
}
