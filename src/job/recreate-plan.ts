import { askEngine } from "../docker/engine.ts"
import { inspectImage } from "../docker/image.ts"
import type { ServiceDefinition, StackDefinition } from "../docker/stack.ts"
import { sh } from "../shell/command.ts"
import type { StackService } from "./stack-services.ts"
import { holdsData, names } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

export interface PlannedService {
  readonly service: string
  readonly action: "create" | "replace"
  /** Why: one phrase. */
  readonly reason: string
  /** `/data in volume NAME`, `/data in /path`: what stays as it is. */
  readonly keeps: readonly string[]
}

/** What a recreation is going to do, seen before anything is changed. */
export interface RecreatePlan {
  readonly services: readonly PlannedService[]
  /** Files of the definition that the checkout has otherwise. */
  readonly files: readonly string[]
  /** One phrase on the engine. */
  readonly engine: string
  /** Free bytes where the base directory lies. */
  readonly free: number
}

/** Looks what recreating these services would change and why, by compose's own view; `stack` is that of the new definition. */
export async function planRecreate(
  tools: Pick<Tools, "host" | "layout" | "stack">,
  services: readonly StackService[],
  files: readonly string[],
): Promise<RecreatePlan> {
  const { stack, host, layout } = tools
  const [definition, actions, looked] = await Promise.all([
    stack.definition(),
    planApart(stack, services),
    askEngine(
      host,
      sh`docker info --format '{{.ServerVersion}}, {{.Driver}}, live-restore {{.LiveRestoreEnabled}}' || exit
df -P -B1 ${layout.base} | sed -n '2s/  */ /gp' | cut -d' ' -f4`,
    ),
  ])
  const [engine = "", free = ""] = looked.stdout.trim().split("\n")
  return {
    services: await Promise.all(
      services.map(async (one) => ({
        service: one.service.name,
        action: one.container ? ("replace" as const) : ("create" as const),
        reason: await reasonOf(tools, one, actions.find(({ service }) => service === one.service.name)?.action),
        keeps: keptMounts(one.definition, definition),
      })),
    ),
    files,
    engine: `Docker ${engine}`,
    free: Number(free),
  }
}

/** Lines for the log. */
export function describePlan({ services, files, engine, free }: RecreatePlan): readonly string[] {
  return [
    `${engine}; ${(free / 2 ** 30).toFixed(1)} GiB free`,
    ...files.map((file) => `${file} comes from the checkout`),
    ...services.map(
      ({ service, action, reason, keeps }) =>
        `${service}: ${action}, ${reason}${keeps.length > 0 ? `; keeps ${keeps.join(", ")}` : ""}`,
    ),
  ]
}

/** As they are started: the data services first, each part without what it depends on. */
async function planApart(
  stack: Tools["stack"],
  services: readonly StackService[],
): Promise<Awaited<ReturnType<Tools["stack"]["plan"]>>> {
  const parts = [services.filter(holdsData), services.filter((one) => !holdsData(one))]
  const planned = parts.filter((part) => part.length > 0).map(names)
  return (await Promise.all(planned.map((part) => stack.plan(part, { partial: true, noDependencies: true })))).flat()
}

async function reasonOf(
  { host }: Pick<Tools, "host">,
  { container, definition }: StackService,
  action: string | undefined,
): Promise<string> {
  if (!container) return "it has no container yet"
  if (container.image !== definition.image) return `image ${container.image} becomes ${definition.image}`
  const image = await inspectImage(host, definition.image)
  if (image && image.id !== container.imageId) return `${definition.image} is another image now`
  if (action === "recreate") return "its configuration changed"
  if (action === undefined) return "compose does not say whether it changed"
  return "unchanged, as all infrastructure is replaced"
}

function keptMounts(definition: ServiceDefinition, stack: StackDefinition): readonly string[] {
  return definition.volumes
    .filter((mount) => !mount.readOnly && (mount.type === "bind" || mount.type === "volume"))
    .map(({ source, target }) => {
      const volume = stack.volumes.find((one) => one.key === source)
      return `${target} in ${volume ? `volume ${volume.name}` : source}`
    })
}
