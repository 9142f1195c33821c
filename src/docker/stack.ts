import type { Command } from "../shell/command.ts"
import type { Mounting } from "./mounting.ts"
import type { ProjectVolume } from "./volumes.ts"

/** A container of the stack, from `docker inspect`: found by its labels and named by its id, never by its name. */
export interface Container {
  readonly id: string
  readonly name: string
  readonly service: string
  /** `running`, `exited`, `created`, `restarting`, `paused`, `dead`. */
  readonly state: string
  /** Docker's health status; undefined when the container has no health check. */
  readonly health: string | undefined
  /** What the last run of the health check printed; empty when there is none. Text from the container: untrusted. */
  readonly healthOutput: string
  /** Docker's own reason why the container could not start; mostly empty. */
  readonly error: string
  readonly restarts: number
  readonly exitCode: number
  readonly oomKilled: boolean
  /** ISO 8601; empty when it never started. */
  readonly startedAt: string
  readonly finishedAt: string
  /** The reference it was started with, and the id of the image that runs. */
  readonly image: string
  readonly imageId: string
  readonly configHash: string
  /** Compose's `container-number` label. */
  readonly number: number
  readonly restartPolicy: string
  readonly stopSignal: string
  readonly mounts: readonly Mount[]
  readonly networks: readonly { readonly name: string; readonly address: string }[]
  readonly pid: number
}

/** Whether it runs, or does again in a moment. */
export function isRunning({ state }: Pick<Container, "state">): boolean {
  return state === "running" || state === "restarting"
}

export interface Mount {
  readonly type: "bind" | "volume" | "tmpfs"
  /** Path on the host, or the volume's name with its mountpoint in `source`. */
  readonly source: string
  readonly volume: string | undefined
  readonly target: string
  readonly writable: boolean
}

/** A service as the compose files define it. Never log it whole: its environment holds secrets. */
export interface ServiceDefinition {
  readonly name: string
  readonly image: string
  readonly profiles: readonly string[]
  /** Milliseconds. */
  readonly stopGracePeriod: number
  /** Milliseconds that a start may take: `start_period + (interval + timeout) x retries`; undefined without a health check. */
  readonly healthBudget: number | undefined
  readonly volumes: readonly {
    readonly type: string
    readonly source: string
    readonly target: string
    readonly readOnly: boolean
  }[]
  /** Keys of the networks that it joins; none in the host's own network. */
  readonly networks: readonly string[]
  readonly dependsOn: readonly string[]
  readonly hasContainerName: boolean
  readonly publishedPorts: readonly { readonly published: number; readonly target: number; readonly protocol: string }[]
  readonly environment: Readonly<Record<string, string>>
  /** Runs to its end: another service waits for it by `service_completed_successfully`, or it is labelled `infra-actions.one-shot=true`. */
  readonly oneShot: boolean
  /** Copies that should run; 1 unless `deploy.replicas` or `scale` says otherwise. */
  readonly replicas: number
  /** Restart policy of its containers, as `docker update` takes it: `no`, `always`, `on-failure:3`. */
  readonly restart: string
}

export interface StackDefinition {
  readonly project: string
  readonly services: readonly ServiceDefinition[]
  /** Named volumes with, for a bind-driver volume, the host path behind it. */
  readonly volumes: readonly {
    readonly key: string
    readonly name: string
    readonly device: string | undefined
    readonly external: boolean
  }[]
  readonly networks: readonly { readonly key: string; readonly name: string; readonly external: boolean }[]
}

/**
 * What runs the containers. Looking is done at once; what changes something is returned as a Command, for a `Work` to run.
 * Compose on one host is the first implementation; no job says `compose` by itself.
 */
export interface Stack {
  readonly project: string
  /** The files' definition with every profile, without the images that a deploy put over them; read once and kept. Throws `failed` when the files do not parse, with compose's message. */
  definition(): Promise<StackDefinition>
  /** Has the definition read again: its files were changed. */
  forget(): void
  /** The same stack as it would be with these files, paths relative to the base directory, in place of the host's: for looking only. */
  preview(files: readonly { readonly path: string; readonly content: string }[]): Stack
  /** Every container of the project, of one service when named, whatever its state. */
  containers(service?: string): Promise<readonly Container[]>
  /** Services of a configured profile, in dependency order (a service after those that it needs). */
  servicesOf(profile: "infrastructure" | "app"): Promise<readonly ServiceDefinition[]>
  /**
   * Containers of the whole host, whatever their project, that have one of these host paths or volumes mounted writable, and
   * run or may be started by their restart policy alone (S13).
   */
  mounting(sources: readonly string[]): Promise<readonly Mounting[]>
  /** Every volume that was made for the project, named in its files today or not. */
  volumes(): Promise<readonly ProjectVolume[]>
  logs(container: Container, lines: number): Promise<string>
  /** Compose's own view of what `up` with these options would do, by service: `recreate`, `create`, `start`, `keep`. */
  plan(
    services: readonly string[],
    options?: PlanOptions,
  ): Promise<readonly { readonly service: string; readonly action: string }[]>
  /** Memory in bytes of the running containers; a limit of 0 stands for none. */
  stats(): Promise<readonly ContainerStats[]>
  /** Fetches those of the services' images that the host does not have yet; fails when one is not to be had. */
  pull(services: readonly ServiceDefinition[]): Command
  up(services: readonly string[], options?: UpOptions): Command
  /** Graceful stop of containers within their grace period; kill only after it. */
  stop(
    containers: readonly Container[],
    options?: { readonly signal?: string; readonly graceSeconds?: number },
  ): Command
  start(containers: readonly Container[]): Command
  /** Gives containers another restart policy, as `docker update` takes it, until they are recreated. */
  setRestart(containers: readonly Container[], policy: string): Command
  /** Removes stopped containers by id, never their volumes. */
  remove(containers: readonly Container[]): Command
}

export interface ContainerStats {
  readonly id: string
  readonly service: string
  /** Share of one processor: 1.5 is one and a half. */
  readonly cpu: number
  readonly memory: number
  readonly memoryLimit: number
}

export interface PlanOptions {
  /** Takes what compose says before its dry run fails, as 2.26 does on inline configs; services after that are then absent. */
  readonly partial?: boolean
  /**
   * Leaves the services that these depend on alone. It must be as it was when a container was started: compose counts
   * the dependencies as part of a service's configuration, and leaves them out with this option.
   */
  readonly noDependencies?: boolean
  /** Image by service, put over what the files say. */
  readonly images?: Readonly<Record<string, string>>
}

export interface UpOptions {
  readonly forceRecreate?: boolean
  /** Leaves the services that these depend on alone. */
  readonly noDependencies?: boolean
  /** Leaves existing copies alone and only adds: for `scale`. */
  readonly noRecreate?: boolean
  /** Makes what is missing, and starts nothing. */
  readonly noStart?: boolean
  readonly scale?: Readonly<Record<string, number>>
  /** Image by service, put over what the files say. */
  readonly images?: Readonly<Record<string, string>>
  readonly pull?: "never" | "missing"
}
