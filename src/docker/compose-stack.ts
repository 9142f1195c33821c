import type { Config } from "../core/config.ts"
import { refusal } from "../core/errors.ts"
import type { Host } from "../host/host.ts"
import { type Command, change, sh } from "../shell/command.ts"
import { composeCommand, imagesOverride, type PreviewFile } from "./compose-command.ts"
import { parseDefinition } from "./compose-definition.ts"
import { parsePlan } from "./compose-plan.ts"
import { inspectProject, parseContainers } from "./container.ts"
import { askEngine, engineError, limited } from "./engine.ts"
import { inspectMounts, parseMounting } from "./mounting.ts"
import { inDependencyOrder } from "./service-order.ts"
import type { Container, PlanOptions, ServiceDefinition, Stack, StackDefinition, UpOptions } from "./stack.ts"
import { measureProject, parseStats } from "./stats.ts"
import { inspectVolumes, parseVolumes } from "./volumes.ts"

export interface ComposeStackOptions {
  readonly host: Host
  readonly config: Config
  /** Files that stand in for the host's when the definition is read and when `up` is planned. */
  readonly preview?: readonly PreviewFile[]
}

/**
 * The stack as Docker Compose v2 on one host. Every look is one round trip and throws the engine's own error
 * (`engine-hung`, `engine-down`, `engine-denied`, `docker-missing`, `compose-missing` ...) when Docker cannot answer.
 */
export function composeStack({ host, config, preview = [] }: ComposeStackOptions): Stack {
  const { project } = config
  let kept: Promise<StackDefinition> | undefined
  const stack: Stack = {
    project,
    definition: () => {
      kept ??= readDefinition(host, config, preview)
      // A failure is not kept: the next call asks again.
      kept.catch(() => {
        kept = undefined
      })
      return kept
    },
    forget: () => {
      kept = undefined
    },
    preview: (files) => composeStack({ host, config, preview: files }),
    containers: (service) => listContainers(host, project, service),
    servicesOf: async (profile) => chooseServices(await stack.definition(), config, profile),
    mounting: async (sources) => parseMounting((await askEngine(host, inspectMounts)).stdout, sources),
    volumes: async () => parseVolumes((await askEngine(host, inspectVolumes(project))).stdout),
    logs: (container, lines) => readLogs(host, container, lines),
    plan: async (services, options = {}) => {
      const [text, containers] = await Promise.all([
        dryRun(host, upDryRun(config, services, { ...options, preview }), options.partial ?? false),
        stack.containers(),
      ])
      return parsePlan(text, { project, services, containers })
    },
    stats: async () => parseStats((await askEngine(host, measureProject(project))).stdout),
    pull: (services) => pullCommand(services),
    up: (services, options) => upCommand(config, services, options ?? {}),
    stop: (containers, options) => stopCommand(containers, options ?? {}),
    start: (containers) => change`docker start ${idsOf(containers)}`,
    setRestart: (containers, policy) => change`docker update --restart ${policy} ${idsOf(containers)}`,
    remove: (containers) => change`docker rm ${idsOf(containers)}`,
  }
  return stack
}

async function readDefinition(host: Host, config: Config, preview: readonly PreviewFile[]): Promise<StackDefinition> {
  const command = sh`(${composeCommand(config, { prefix: limited, preview })} --profile '*' config --format json)`
  return parseDefinition((await askEngine(host, command)).stdout)
}

async function listContainers(host: Host, project: string, service?: string): Promise<readonly Container[]> {
  return parseContainers((await askEngine(host, inspectProject(project, service))).stdout)
}

async function readLogs(host: Host, container: Container, lines: number): Promise<string> {
  const { stdout } = await askEngine(host, sh`${limited} docker logs --tail ${lines} --timestamps ${container.id} 2>&1`)
  return stdout
}

/**
 * `app` services are those that `app.services` names, else those of the app profile. A service without any profile
 * counts as infrastructure unless `app.services` names it.
 */
function chooseServices(
  definition: StackDefinition,
  config: Config,
  profile: "infrastructure" | "app",
): readonly ServiceDefinition[] {
  const named = config.app.services
  const isApp = (service: ServiceDefinition) =>
    named ? named.includes(service.name) : service.profiles.includes(config.compose.profiles.app)
  const isInfrastructure = (service: ServiceDefinition) =>
    !isApp(service) &&
    (service.profiles.length === 0 || service.profiles.includes(config.compose.profiles.infrastructure))
  return inDependencyOrder(definition.services.filter(profile === "app" ? isApp : isInfrastructure))
}

/** What compose said before its dry run failed is enough where `partial`: 2.26 cannot play through copying an inline config. */
async function dryRun(host: Host, command: Command, partial: boolean): Promise<string> {
  const result = await askEngine(host, command, { timeout: 90_000, allow: partial ? "any" : [0] })
  const fault = engineError(result, host.name)
  if (fault) throw fault
  return `${result.stdout}\n${result.stderr}`
}

function upDryRun(
  config: Config,
  services: readonly string[],
  options: PlanOptions & { readonly preview: readonly PreviewFile[] },
): Command {
  const up = composeUp(config, services, {
    prefix: sh`timeout -k 2 80`,
    globals: ["--dry-run"],
    flags: options.noDependencies ? ["--no-deps"] : [],
    override: options.images && imagesOverride(options.images),
    preview: options.preview,
  })
  return sh`(${up})`
}

function upCommand(config: Config, services: readonly string[], options: UpOptions): Command {
  const flags = [
    ...(options.forceRecreate ? ["--force-recreate"] : []),
    ...(options.noDependencies ? ["--no-deps"] : []),
    ...(options.noRecreate ? ["--no-recreate"] : []),
    ...(options.noStart ? ["--no-start"] : []),
    ...(options.pull ? ["--pull", options.pull] : []),
    ...Object.entries(options.scale ?? {}).flatMap(([service, copies]) => ["--scale", `${service}=${copies}`]),
  ]
  const override = options.images && imagesOverride(options.images, options.pull)
  return change`${composeUp(config, services, { prefix: sh``, globals: [], flags, override })}`
}

interface UpCall {
  readonly prefix: Command
  readonly globals: readonly string[]
  readonly flags: readonly string[]
  readonly override: string | undefined
  readonly preview?: readonly PreviewFile[]
}

/** Never with `-y`: newer compose versions ask before they recreate a volume whose definition changed, and no is the answer. */
function composeUp(config: Config, services: readonly string[], call: UpCall): Command {
  const { prefix, globals, flags, override, preview = [] } = call
  const compose = composeCommand(config, { prefix, deployed: true, override: override !== undefined, preview })
  const up = sh`${compose} --profile '*' ${globals} up --detach --no-build --quiet-pull ${flags} ${some(services)}`
  if (override === undefined) return sh`${up} </dev/null`
  return sh`printf '%s\\n' ${override} | { ${up}
}`
}

/** By reference and not by `compose pull`, which asks the registry even for what is there. */
function pullCommand(services: readonly ServiceDefinition[]): Command {
  const images = [...new Set(services.map((one) => one.image).filter((image) => image !== ""))]
  return change`for image in ${some(images)}; do
docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" || exit
done`
}

function stopCommand(
  containers: readonly Container[],
  options: { readonly signal?: string; readonly graceSeconds?: number },
): Command {
  const flags = [
    ...(options.signal ? ["--signal", options.signal] : []),
    ...(options.graceSeconds === undefined ? [] : ["--time", String(options.graceSeconds)]),
  ]
  return change`docker stop ${flags} ${idsOf(containers)}`
}

function idsOf(containers: readonly Container[]): readonly string[] {
  return some(containers.map((one) => one.id))
}

/** An empty list would mean "everything" to compose, and an error to docker. */
function some(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw refusal("nothing-named", "no service or container was named for this step")
  return names
}
