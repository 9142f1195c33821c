import type { ServiceKind } from "../../core/config.ts"
import { dataKinds } from "../../core/config.ts"
import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { type Command, change, script } from "../../shell/command.ts"
import type { InfraHealth } from "../check-infra.ts"
import { byUse } from "../container-checks.ts"
import { assertSoleServer } from "../ensure-running.ts"
import type { StackService } from "../stack-services.ts"
import type { Tools } from "../tools.ts"
import type { Issue } from "./diagnose.ts"

export interface Fix {
  /** Also the step's name: `start-postgres`. */
  readonly name: string
  readonly service: StackService
  readonly command: Command
}

/** Servers that hold in memory what may not be on disk: never stopped by a fix while they run. */
const inMemory: readonly ServiceKind[] = ["dragonfly", "redis", "valkey"]

/**
 * The fixes that cannot lose data, for those issues that have one. Before a data service is started it is made sure that
 * no other running container has its data mounted (S13): throws `data-in-use` otherwise.
 */
export async function fixesFor(
  tools: Tools,
  issues: readonly Issue[],
  services: readonly StackService[],
  health: InfraHealth,
): Promise<readonly Fix[]> {
  const containers = await tools.stack.containers()
  const fixes: Fix[] = []
  for (const issue of issues) {
    const known = services.find((one) => one.service.name === issue.service)
    if (!known) continue
    const copies = byUse(containers.filter((one) => one.service === issue.service))
    const service = { ...known, container: copies[0] }
    const fix = await fixFor(tools, issue, service, health)
    if (!fix) continue
    if (dataKinds.includes(service.service.kind)) await assertSoleServer(tools, service)
    fixes.push({ ...fix, service })
  }
  return fixes
}

async function fixFor(
  tools: Tools,
  { cause, service: name }: Issue,
  service: StackService,
  health: InfraHealth,
): Promise<Pick<Fix, "name" | "command"> | undefined> {
  const { stack } = tools
  const { container } = service
  if (!container) return cause === "missing" ? create(tools, service, health) : undefined
  switch (cause) {
    case "stopped":
      return { name: `start-${name}`, command: stack.start([container]) }
    case "paused":
      return { name: `unpause-${name}`, command: change`docker unpause ${container.id}` }
    case "network-missing":
      return { name: `reconnect-${name}`, command: await reconnect(tools, service, container) }
    case "restart-loop":
    case "unhealthy":
      if (container.state === "running" && inMemory.includes(service.service.kind)) return undefined
      return {
        name: `restart-${name}`,
        command: change`${stack.stop([container])} && sleep 3 && ${stack.start([container])}`,
      }
    default:
      return undefined
  }
}

/** A data service is created anew only on data that is there: on an empty directory it would start with nothing. */
function create(
  { stack }: Tools,
  { service: { name, kind } }: StackService,
  { data }: InfraHealth,
): Pick<Fix, "name" | "command"> | undefined {
  const places = data.filter((one) => one.service === name)
  const whole = places.length > 0 && places.every((one) => one.present && one.doubt === undefined)
  if (dataKinds.includes(kind) && !whole) return undefined
  const command = stack.up([name], { noDependencies: true, noRecreate: true, pull: "missing" })
  return { name: `create-${name}`, command }
}

/** `up` makes the network again, and then fails on a container that still refers to the old one: its code is no answer. */
async function reconnect(
  { stack }: Tools,
  { service, definition }: StackService,
  container: Container,
): Promise<Command> {
  const { networks } = await stack.definition()
  const names = definition.networks.map((key) => networks.find((one) => one.key === key)?.name ?? key)
  const up = stack.up([service.name], { noDependencies: true, noRecreate: true, pull: "never" })
  const joins = names.map(
    (network) => change`(${script("change", remoteScript("reconnect-network"), [network, service.name, container.id])}
) || exit\n`,
  )
  return joins.reduce((all, join) => change`${all}${join}`, change`(${up}\n) || :\n`)
}
