import { dataKinds, type ServiceConfig } from "../core/config.ts"
import { failure, inputError } from "../core/errors.ts"
import type { Container, ServiceDefinition } from "../docker/stack.ts"
import type { Service, ServiceDriver } from "../service/driver.ts"
import { serviceKind } from "../service/kinds.ts"
import { byUse } from "./container-checks.ts"
import type { Tools } from "./tools.ts"

/** A service of the stack with its driver and its containers. */
export interface StackService {
  readonly definition: ServiceDefinition
  readonly driver: ServiceDriver
  readonly service: Service
  /** All of its copies, the one that stands for it first. */
  readonly copies: readonly Container[]
  /** The first of them, if there is one: the server, where it holds data. */
  readonly container: Container | undefined
}

/** The services of a profile in dependency order, or only those named. Throws an input error `unknown-service` for another. */
export async function servicesOf(
  tools: Tools,
  profile: "infrastructure" | "app",
  names?: readonly string[],
): Promise<readonly StackService[]> {
  const [definitions, containers] = await Promise.all([tools.stack.servicesOf(profile), tools.stack.containers()])
  const unknown = names?.find((name) => !definitions.some((one) => one.name === name))
  if (unknown !== undefined) {
    const known = definitions.map((one) => one.name).join(", ")
    throw inputError("unknown-service", `services: the ${profile} profile has no service ${unknown}`, {
      hint: known === "" ? "It has none at all." : `It has: ${known}.`,
    })
  }
  return definitions
    .filter((one) => names?.includes(one.name) ?? true)
    .map((definition) => describe(tools, definition, containers))
}

/** Those of the infrastructure that hold data that must not be lost. */
export async function dataServices(tools: Tools, names?: readonly string[]): Promise<readonly StackService[]> {
  return (await servicesOf(tools, "infrastructure", names)).filter(holdsData)
}

/** The container of a service, or an error that says what is missing. */
export function containerOf({ container, service }: StackService): Container {
  if (container) return container
  throw failure("container-missing", `service ${service.name} has no container`, {
    hint: "Run recreate, which creates what is missing.",
  })
}

/** Whether its data directory must survive everything. */
export function holdsData({ service }: StackService): boolean {
  return dataKinds.includes(service.kind)
}

export function names(services: readonly StackService[]): readonly string[] {
  return services.map((one) => one.service.name)
}

export function definitions(services: readonly StackService[]): readonly ServiceDefinition[] {
  return services.map((one) => one.definition)
}

function describe(tools: Tools, definition: ServiceDefinition, containers: readonly Container[]): StackService {
  const config = tools.config.services[definition.name] ?? defaults
  const kind = config.kind ?? serviceKind(definition.image)
  const driver = tools.drivers.find((one) => one.kinds.includes(kind))
  if (!driver) throw failure("no-driver", `no driver knows services of kind ${kind}`)
  const copies = byUse(containers.filter((one) => one.service === definition.name))
  return {
    ...{ definition, driver, copies },
    service: {
      name: definition.name,
      kind,
      config,
      host: tools.host,
      stack: tools.stack,
      backups: tools.layout.backups,
    },
    container: copies[0],
  }
}

const defaults: ServiceConfig = { "critical-tables": [], "sample-queries": [], timeout: 10_000 }
