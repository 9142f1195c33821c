import { failure, refusal } from "../core/errors.ts"
import type { Mounting } from "../docker/mounting.ts"
import { dataPresence } from "./data-presence.ts"
import { covers, dataMounts } from "./keep-volumes.ts"
import { containerOf, names, type StackService, servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

/**
 * Starts those of the services whose container is stopped, makes the containers that are missing on the data that is
 * there, and waits until all of them are healthy; gives the containers as they then are. Refuses to start a service
 * whose data another running container already has mounted (S13), and to make one where there is no data.
 */
export async function ensureRunning(tools: Tools, services: readonly StackService[]): Promise<readonly StackService[]> {
  const missing = services.filter((one) => one.container === undefined)
  if (missing.length > 0) {
    await createOnData(tools, missing)
    return ensureRunning(tools, await refresh(tools, services))
  }
  const stopped = services.filter((one) => containerOf(one).state !== "running")
  for (const one of stopped) await assertSoleServer(tools, one)
  if (stopped.length > 0) {
    tools.log.info(`Starting ${stopped.map((one) => one.service.name).join(", ")}`)
    await tools.work.step("start-services", tools.stack.start(stopped.map(containerOf)))
  }
  await tools.work.check(
    "wait-services",
    () =>
      waitHealthy(
        tools,
        services.map((one) => one.definition),
      ),
    undefined,
  )
  return stopped.length === 0 ? services : refresh(tools, services)
}

/**
 * Makes, without starting them, the missing containers of those of the services whose data is there: what a restore that was
 * cut off left of it is looked at, and may have to be put back, before a server loads it. Throws `restore-unknown` where
 * nobody can tell whether there is data.
 */
export async function createStopped(tools: Tools, services: readonly StackService[]): Promise<void> {
  const missing = services.filter((one) => one.container === undefined)
  if (missing.length === 0) return
  const onData: StackService[] = []
  for (const { one, found, where } of await placesOf(tools, missing)) {
    if (found === "unknown")
      throw failure(
        "restore-unknown",
        `${one.service.name} has no container, and nobody can tell what is in ${where}`,
        {
          hint: `On the host: docker compose up --no-start ${one.service.name}; then run this again. Or restore a backup.`,
        },
      )
    if (found === "data") onData.push(one)
  }
  if (onData.length === 0) return
  for (const one of onData) await assertSoleServer(tools, one)
  tools.log.warning(`Making the missing containers of ${names(onData).join(", ")} on the data that is there`)
  const options = { noRecreate: true, noDependencies: true, noStart: true, pull: "missing" } as const
  await tools.work.step("create-stopped", tools.stack.up(names(onData), options), { timeout: 1_800_000 })
}

/** Containers for services whose data is there: somebody removed them, and a backup needs a server that reads it. */
async function createOnData(tools: Tools, missing: readonly StackService[]): Promise<void> {
  const unwanted = missing.find((one) => one.definition.replicas === 0)
  if (unwanted)
    throw refusal("replicas-zero", `data service ${unwanted.service.name} has no container, as defined (replicas: 0)`, {
      hint: "What its data holds cannot be saved without a server: give it one copy, or take it out of the infrastructure profile.",
    })
  for (const one of missing) await assertSoleServer(tools, one)
  for (const { one, found, where } of await placesOf(tools, missing)) {
    if (found === "data") continue
    throw refusal("data-missing", `service ${one.service.name} has no container and no data in ${where}`, {
      hint: "If it is new, run recreate for it alone (services). If it had data, restore a backup.",
    })
  }
  tools.log.warning(`Making the missing containers of ${names(missing).join(", ")} on the data that is there`)
  const up = tools.stack.up(names(missing), { noRecreate: true, noDependencies: true, pull: "missing" })
  await tools.work.step("create-missing", up, { timeout: 1_800_000 })
  if (tools.work.dryRun)
    throw refusal("dry-run-ends", `the dry run ends here: ${names(missing).join(", ")} would first get a container`)
}

/** Whether services without a container have data, and where that was looked for. */
async function placesOf(tools: Tools, missing: readonly StackService[]) {
  const places = await dataPresence(tools, await Promise.all(missing.map(withDataMounts)))
  return missing.map((one) => {
    const own = places.filter((place) => place.service === one.service.name)
    const where = own.map(({ place, doubt }) => (doubt ? `${place} (${doubt})` : place)).join(", ") || "no volume"
    const sure = own.some(({ present, doubt }) => present && doubt === undefined)
    const found = sure ? "data" : own.some(({ present }) => present) ? "unknown" : "nothing"
    return { one, where, found } as const
  })
}

/** Only the mounts where it is going to keep its data, as far as that is known: that another one is full proves nothing. */
async function withDataMounts(one: StackService): Promise<StackService> {
  const told = await one.driver.dataDirectory?.(one.service, undefined, one.definition)
  const usual = one.service.kind === "postgres" ? "/var/lib/postgresql/data" : "/data"
  const own = one.definition.volumes.filter((mount) => covers(mount, told ?? usual))
  if (told === undefined && own.length === 0) return one
  return { ...one, definition: { ...one.definition, volumes: own } }
}

/** The same services with the containers as they are now. */
export async function refresh(tools: Tools, services: readonly StackService[]): Promise<readonly StackService[]> {
  return servicesOf(
    tools,
    "infrastructure",
    services.map((one) => one.service.name),
  )
}

/**
 * Throws unless no other container on the host serves the service's data, or may do so by its restart policy: two servers
 * on one data directory both start and both write (S13). A stopped copy of the service itself is compose's to take away.
 * `stopped`: ids of those that are going to be stopped first, which counts for what then stays stopped by its policy.
 */
export async function assertSoleServer(
  tools: Tools,
  one: StackService,
  { stopped = [] }: { readonly stopped?: readonly string[] } = {},
): Promise<void> {
  const mounts = one.container && (await dataMounts(one.container, one))
  const sources = mounts?.map((mount) => mount.volume ?? mount.source) ?? (await definedSources(tools, one))
  if (sources.length === 0) return
  const { name } = one.service
  const isOwn = (other: Mounting) =>
    (other.project === tools.stack.project && other.service === name && !runs(other)) ||
    (stopped.includes(other.id) && staysStopped(other))
  const others = await tools.stack.mounting(sources)
  const rival = others.find((other) => other.id !== one.container?.id && !isOwn(other))
  if (rival) throw twoServers(name, rival)
}

/** As `Stack.mounting` counts them. What ends `on-failure` is not known before. */
function staysStopped({ restartPolicy }: Mounting): boolean {
  return restartPolicy !== "always" && restartPolicy !== "on-failure"
}

function runs({ state }: Mounting): boolean {
  return ["running", "restarting", "paused"].includes(state)
}

async function definedSources({ stack }: Tools, { definition }: StackService): Promise<readonly string[]> {
  const { volumes } = await stack.definition()
  return definition.volumes
    .filter((mount) => !mount.readOnly && (mount.type === "bind" || mount.type === "volume"))
    .map(({ source }) => volumes.find((one) => one.key === source)?.name ?? source)
}

function twoServers(service: string, rival: Mounting): Error {
  const { name, restartPolicy } = rival
  if (runs(rival)) {
    const again = staysStopped(rival)
      ? ""
      : ` The engine may start it again by itself (restart policy ${restartPolicy}): docker update --restart no ${name} and docker stop ${name}, and if the stack is to keep it, mount the data read-only there or give it \`restart: unless-stopped\`.`
    return refusal("data-in-use", `the data of ${service} is mounted by the running container ${name}`, {
      hint: `Stop ${name} first: two servers on one data directory destroy it.${again}`,
    })
  }
  return refusal(
    "data-in-use",
    `the data of ${service} is mounted by the stopped container ${name}, which the engine starts by itself (restart policy ${restartPolicy})`,
    {
      hint: `Two servers on one data directory destroy it. On the host: docker update --restart no ${name}, or docker rm ${name} if it is not needed (its volumes stay).`,
    },
  )
}

/** Stops on an empty list, which would make every later "all of them" true (S7). */
export function atLeastOne<T>(items: readonly T[], what: string): readonly T[] {
  if (items.length > 0) return items
  throw failure("nothing-found", `no ${what} found`, {
    hint: "Check `compose.profiles` and `services` in infra.yml: data services must be in the infrastructure profile.",
  })
}
