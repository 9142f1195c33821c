import { z } from "zod"
import { type Command, sh } from "../shell/command.ts"
import { limited } from "./engine.ts"
import { defineExisting } from "./existing.ts"
import type { Container } from "./stack.ts"

/** The part of `docker inspect` that is used; the environment, where secrets stand, is not even asked for. */
const format = [
  '{"id":{{json .Id}},"name":{{json .Name}},"state":{{json .State}},"restarts":{{json .RestartCount}}',
  '"imageId":{{json .Image}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}}',
  '"stopSignal":{{json (index .Config "StopSignal")}},"policy":{{json .HostConfig.RestartPolicy.Name}}',
  '"mounts":{{json .Mounts}},"networks":{{json .NetworkSettings.Networks}}}',
].join(",")

/**
 * Looks up containers of a compose project, of one service when named, and prints one JSON object a line. A container
 * that goes away between listing and inspecting is left out; any other failure of docker is the script's.
 */
export function inspectProject(project: string, service: string | undefined): Command {
  const filters = [
    `label=com.docker.compose.project=${project}`,
    "label=com.docker.compose.oneoff=False",
    ...(service === undefined ? [] : [`label=com.docker.compose.service=${service}`]),
  ].flatMap((filter) => ["--filter", filter])
  return sh`${defineExisting}
ids=$(${limited} docker ps --all --quiet --no-trunc ${filters}) || exit
[ -n "$ids" ] || exit 0
existing ${limited} docker inspect --type container --format ${format} $ids`
}

/** Prints one container, whatever made it, as `inspectProject` prints those of a project. */
export function inspectContainer(id: string): Command {
  return sh`${limited} docker inspect --type container --format ${format} ${id}`
}

/** The containers in what `inspectProject` printed, by service and number. Throws when a line is not what Docker promises. */
export function parseContainers(output: string): readonly Container[] {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => toContainer(inspectedSchema.parse(JSON.parse(line))))
    .sort((a, b) => a.service.localeCompare(b.service) || a.number - b.number)
}

const mountSchema = z.object({
  Type: z.string(),
  Name: z.string().optional(),
  Source: z.string().default(""),
  Destination: z.string(),
  RW: z.boolean(),
})

const inspectedSchema = z.object({
  id: z.string().min(12),
  name: z.string(),
  state: z.object({
    Status: z.string(),
    ExitCode: z.int(),
    OOMKilled: z.boolean(),
    Error: z.string().default(""),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Pid: z.int(),
    Health: z.object({ Status: z.string(), Log: z.array(z.object({ Output: z.string() })).nullish() }).nullish(),
  }),
  restarts: z.int(),
  imageId: z.string(),
  image: z.string(),
  labels: z.record(z.string(), z.string()).nullish(),
  stopSignal: z.string().nullish(),
  policy: z.string(),
  mounts: z.array(mountSchema).nullish(),
  networks: z.record(z.string(), z.object({ IPAddress: z.string().default("") })).nullish(),
})

type Inspected = z.output<typeof inspectedSchema>

function toContainer(raw: Inspected): Container {
  const label = (name: string) => raw.labels?.[`com.docker.compose.${name}`] ?? ""
  return {
    id: raw.id,
    name: raw.name.replace(/^\//, ""),
    service: label("service"),
    state: raw.state.Status,
    health: raw.state.Health && raw.state.Health.Status !== "none" ? raw.state.Health.Status : undefined,
    healthOutput: raw.state.Health?.Log?.at(-1)?.Output.trim() ?? "",
    error: raw.state.Error,
    restarts: raw.restarts,
    exitCode: raw.state.ExitCode,
    oomKilled: raw.state.OOMKilled,
    startedAt: time(raw.state.StartedAt),
    finishedAt: time(raw.state.FinishedAt),
    image: raw.image,
    imageId: raw.imageId,
    configHash: label("config-hash"),
    number: Number(label("container-number")) || 0,
    restartPolicy: raw.policy,
    // Docker's own default when neither the image nor the service names a signal.
    stopSignal: raw.stopSignal || "SIGTERM",
    mounts: (raw.mounts ?? []).map(toMount),
    networks: Object.entries(raw.networks ?? {}).map(([name, { IPAddress }]) => ({ name, address: IPAddress })),
    pid: raw.state.Pid,
  }
}

function toMount(mount: z.output<typeof mountSchema>): Container["mounts"][number] {
  return {
    type: mount.Type === "volume" || mount.Type === "tmpfs" ? mount.Type : "bind",
    source: mount.Source,
    volume: mount.Type === "volume" ? mount.Name : undefined,
    target: mount.Destination,
    writable: mount.RW,
  }
}

/** Docker says year 1 for never. */
function time(text: string): string {
  return text.startsWith("0001-") ? "" : text
}
