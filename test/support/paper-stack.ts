import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Container, ServiceDefinition, Stack, UpOptions } from "../../src/docker/stack.ts"
import { HostError } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import type { Logger } from "../../src/job/logger.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import type { ServiceDriver } from "../../src/service/driver.ts"
import { change } from "../../src/shell/command.ts"
import { directWork } from "./direct-work.ts"
import { stackTools } from "./stack-tools.ts"

export interface PaperService {
  readonly name: string
  readonly image: string
  readonly profile?: "app"
  /** `running` unless told. */
  readonly state?: Container["state"]
}

/**
 * A stack whose containers are on paper, each a file with its state, whose notes are real, and whose services have data: so that every pair of deaths can
 * be tried. Servers are the drivers'.
 */
export function openPaper(services: readonly PaperService[], drivers: readonly ServiceDriver[]) {
  const folder = mkdtempSync(join(tmpdir(), "t-paper-"))
  const states = join(folder, "containers")
  mkdirSync(states)
  // Nothing here has to outlive the machine: a real `sync` takes most of the time.
  symlinkSync("/bin/true", join(folder, "sync"))
  const host = localHost({ shell: ["env", `PATH=${folder}:${process.env.PATH}`, "sh"] })
  for (const { name, state = "running" } of services) {
    writeFileSync(join(states, name), state)
    mkdirSync(join(folder, "data", name), { recursive: true })
    writeFileSync(join(folder, "data", name, "file"), "data")
  }
  const stack = stackOf(folder, states, services)
  let died = false
  const tools = (beforeStep: (step: string) => void = () => {}): Tools & { readonly said: readonly string[] } => {
    const said: string[] = []
    const say = (line: string) => void said.push(line)
    const log: Logger = { ...silentLogger, info: say, warning: say }
    const work = directWork(host, { beforeStep })
    return { ...stackTools({ project: "shop", baseDir: folder }, { host, work, log }), stack, drivers, said }
  }
  return {
    tools,
    /** Nothing is done from this step on, by its number or its name. */
    dying(at: number | string) {
      let count = 0
      died = false
      return tools((step) => {
        died ||= count++ === at || step === at
        if (died) throw new HostError("lost", `dead at ${step}`)
      })
    },
    /** Whether the last one that was to die came to that. */
    died: () => died,
    state: (name: string) => readFileSync(join(states, name), "utf8"),
    /** Somebody removes the container, or, with a state, brings it there. */
    turn: (name: string, state?: Container["state"]) =>
      state === undefined ? rmSync(join(states, name)) : writeFileSync(join(states, name), state),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
  }
}

function stackOf(folder: string, states: string, services: readonly PaperService[]): Stack {
  const definitions = services.map(({ name, image }) => ({
    ...{ name, image, profiles: [], healthBudget: 1000, dependsOn: [], stopGracePeriod: 1 },
    volumes: [{ type: "bind", source: join(folder, "data", name), target: "/data", readOnly: false }],
    oneShot: false,
  })) as unknown as readonly ServiceDefinition[]
  const containerOf = (name: string) =>
    ({
      ...{ id: name, name, service: name, state: readFileSync(join(states, name), "utf8") },
      ...{ health: "healthy", mounts: [], restarts: 0, imageId: "i", number: 1 },
    }) as unknown as Container
  const bring = (names: readonly string[], state: string) =>
    names
      .map((name) => change`printf ${state} >${join(states, name)}`)
      .reduce((before, next) => change`${before} || exit\n${next}`, change`:`)
  const of = (containers: readonly Container[]) => containers.map(({ name }) => name)
  const inProfile = (wanted: string) => (one: ServiceDefinition) =>
    (services.find(({ name }) => name === one.name)?.profile ?? "infrastructure") === wanted
  return {
    project: "shop",
    servicesOf: async (profile: string) => definitions.filter(inProfile(profile)),
    containers: async () => readdirSync(states).sort().map(containerOf),
    mounting: async () => [],
    volumes: async () => [],
    definition: async () => ({ project: "shop", services: definitions, volumes: [], networks: [] }),
    logs: async () => "",
    start: (containers: readonly Container[]) => bring(of(containers), "running"),
    stop: (containers: readonly Container[]) => bring(of(containers), "exited"),
    up: (names: readonly string[], { noStart = false }: UpOptions = {}) =>
      bring(names, noStart ? "created" : "running"),
  } as unknown as Stack
}
