import { failure } from "../core/errors.ts"
import type { Host } from "../host/host.ts"
import { type Command, change, sh } from "../shell/command.ts"
import { inspectContainer, parseContainers } from "./container.ts"
import { askEngine, limited } from "./engine.ts"
import type { Container } from "./stack.ts"

export interface ScratchOptions {
  readonly name: string
  readonly image: string
  /** Whose it is, `project/environment`: by this it is found and removed again. */
  readonly owner: string
  readonly environment: Readonly<Record<string, string>>
  readonly command: readonly string[]
  /** Paths in the container that get a volume without a name. */
  readonly volumes: readonly string[]
  /** Bytes. */
  readonly memory: number
}

/** The label by which throw-away servers are found. */
const label = "infra-actions.drill"

/**
 * Starts a container that is part of no stack: no network, a limit of memory, processor time only when nobody else wants
 * it, the first to be killed when memory runs out. Compose's labels are emptied, for an image that compose has built hands
 * its own on. Prints the container's id.
 */
export function startScratch(options: ScratchOptions): Command {
  const { name, image, owner, environment, command, volumes, memory } = options
  const labels = [`${label}=${owner}`, ...["project", "service", "oneoff"].map((one) => `com.docker.compose.${one}=`)]
  const flags = [
    ...labels.flatMap((one) => ["--label", one]),
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
    ...volumes.flatMap((path) => ["--volume", path]),
    ...["--memory", `${memory}b`, "--memory-swap", `${memory}b`, "--cpu-shares", "128", "--oom-score-adj", "800"],
    ...["--pids-limit", "1000", "--shm-size", "256m", "--security-opt", "no-new-privileges"],
  ]
  return change`docker run --detach --network none --restart no --pull never --name ${name} ${flags} ${image} ${command}`
}

/** Ids of an owner's throw-away servers, running or not, one a line. */
export function listScratch(owner: string): Command {
  return sh`${limited} docker ps --all --quiet --no-trunc --filter ${`label=${label}=${owner}`}`
}

/** Removes an owner's throw-away servers with the volumes that were made for them alone. */
export function removeScratch(owner: string): Command {
  return change`ids=$(${listScratch(owner)}) || exit
[ -z "$ids" ] || docker rm --force --volumes $ids`
}

/** A throw-away server as Docker sees it. Throws when it is gone. */
export async function readScratch(host: Host, id: string): Promise<Container> {
  const [container] = parseContainers((await askEngine(host, inspectContainer(id))).stdout)
  if (container) return container
  throw failure("scratch-gone", `the throw-away container ${id.slice(0, 12)} is gone`)
}
