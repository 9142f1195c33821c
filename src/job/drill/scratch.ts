import { fileNamePart } from "../../core/backup-id.ts"
import { failure, messageOf } from "../../core/errors.ts"
import type { ServiceBackup } from "../../core/manifest.ts"
import { listScratch, readScratch, removeScratch, startScratch } from "../../docker/scratch-container.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../../service/driver.ts"
import { change, lines } from "../../shell/command.ts"
import type { StackService } from "../stack-services.ts"
import type { Tools } from "../tools.ts"
import { memoryLimit } from "./room.ts"

/** A throw-away server, as the service that a driver works on. */
export interface Scratch {
  readonly service: Service
  readonly container: Container
}

/** Milliseconds until an empty server must have started. */
const startLimit = 180_000

/** Files fetched for a drill: beside the backups, never among them, and apart from those of others who share the directory. */
export function scratchFolder({ layout, config }: Pick<Tools, "layout" | "config">): string {
  return `${layout.backups}/.drill-${fileNamePart(config.project)}.${fileNamePart(config.environment)}`
}

/** Starts an empty server of the image that the service runs now, for files that lie in `backups`; undefined in a dry run. */
export async function openScratch(
  tools: Tools,
  one: StackService,
  { backup, backups }: { readonly backup: ServiceBackup; readonly backups: string },
): Promise<Scratch | undefined> {
  const { scratch } = one.driver
  if (!scratch) throw failure("cannot-drill", `services of kind ${one.service.kind} cannot be drilled`)
  const memory = await memoryLimit(tools, scratch.needs(backup).memory)
  const recipe = await scratch.recipe(one.service, one.container, { backup, memory })
  const { project, environment } = tools.config
  const name = `infra-actions-drill-${project}-${environment}-${one.service.name}`
  const image = imageOf(one)
  const command = startScratch({ ...recipe, name, image, memory, owner: ownerOf(tools) })
  const { stdout } = await tools.work.step(`open-drill-${one.service.name}`, command)
  if (tools.work.dryRun) return undefined
  const service = drilledService(tools, one.service, { backup, backups })
  return { service, container: await waitReady(tools, scratch.ready, { service, id: stdout.trim() }) }
}

/** Removes the throw-away servers and fetched files of this stack's drills, also those of a drill that was killed. */
export async function closeScratch(tools: Tools): Promise<void> {
  const command = removal(tools)
  if (!tools.signal.aborted) {
    await tools.work.step("remove-drill", command)
    return
  }
  // A cancelled run does no step any more, and this must not wait for the next drill: it touches nothing but our own.
  await tools.host.run(command, { timeout: 5000 }).catch((error: unknown) => {
    tools.log.warning(`The next drill removes what this one leaves: ${messageOf(error)}`)
  })
}

/** Removes what a killed drill left, if it left anything. */
export async function clearLeftovers(tools: Tools): Promise<void> {
  const { stdout } = await tools.host.run(listScratch(ownerOf(tools)))
  const left = stdout.split("\n").filter((id) => id !== "").length
  if (left > 0) tools.log.warning(`An earlier drill left ${left} throw-away containers: they are removed`)
  await closeScratch(tools)
}

/** Throw-away servers that do not run any more, each with why as far as Docker knows. */
export async function endedOf(tools: Tools, servers: readonly Scratch[]): Promise<readonly string[]> {
  const seen = await Promise.all(servers.map(({ container }) => readScratch(tools.host, container.id)))
  return seen.filter(({ state }) => state !== "running").map((one) => `${one.name} ended (${whyEnded(one)})`)
}

function whyEnded({ oomKilled, exitCode }: Container): string {
  return oomKilled ? "killed for want of memory" : `exit code ${exitCode}`
}

/** The image that a restore would go into. */
export function imageOf({ container, definition }: StackService): string {
  return container?.imageId ?? definition.image
}

function ownerOf({ config }: Tools): string {
  return `${config.project}/${config.environment}`
}

function removal(tools: Tools) {
  return lines(removeScratch(ownerOf(tools)), change`rm -rf -- ${scratchFolder(tools)}`)
}

/** The real service under another name: in steps, messages and checks it is told apart from the live one. */
function drilledService(
  { host, stack }: Pick<Tools, "host" | "stack">,
  service: Service,
  { backup, backups }: { readonly backup: ServiceBackup; readonly backups: string },
): Service {
  const { port: _real, databases, ...config } = service.config
  const { contents } = backup
  const held = contents.kind === "postgres" ? contents.databases.map(({ name }) => name) : []
  const both = databases?.filter((name) => held.includes(name))
  return {
    ...service,
    name: `drill-${service.name}`,
    host,
    stack,
    backups,
    config: both && both.length > 0 ? { ...config, databases: both } : config,
  }
}

type Ready = (service: Service, container: Container) => Promise<boolean>

async function waitReady(
  tools: Tools,
  ready: Ready,
  { service, id }: { readonly service: Service; readonly id: string },
): Promise<Container> {
  const until = tools.clock.now().getTime() + startLimit
  for (;;) {
    const container = await readScratch(tools.host, id)
    if (container.state === "running" && (await ready(service, container))) return container
    if (container.state !== "running" && container.state !== "created") throw await ended(service, container)
    if (tools.clock.now().getTime() > until)
      throw failure("drill-start", `${service.name} did not take clients within ${startLimit / 1000} s`)
    await tools.clock.sleep(300, tools.signal)
  }
}

async function ended(service: Service, container: Container): Promise<Error> {
  const said = (await service.stack.logs(container, 5)).trimEnd().split("\n").at(-1)?.trim() ?? ""
  return failure(
    "drill-start",
    `${service.name} ended instead of starting (${whyEnded(container)})${said ? `: ${said.slice(0, 300)}` : ""}`,
  )
}
