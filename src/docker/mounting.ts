import { z } from "zod"
import { type Command, sh } from "../shell/command.ts"
import { limited } from "./engine.ts"
import { defineExisting } from "./existing.ts"
import { bindDevice, plain } from "./volumes.ts"

const format = [
  '{"id":{{json .Id}},"name":{{json .Name}},"state":{{json .State.Status}},"code":{{.State.ExitCode}}',
  '"policy":{{json .HostConfig.RestartPolicy.Name}},"labels":{{json .Config.Labels}},"mounts":{{json .Mounts}}}',
].join(",")

/** A container that has a place mounted writable, and serves there or may do so by itself. */
export interface Mounting {
  readonly id: string
  readonly name: string
  /** `running`, `restarting`, `paused`, or the state from which the engine's next start would start it. */
  readonly state: string
  readonly restartPolicy: string
  /** Compose's project and service; empty for others. */
  readonly project: string
  readonly service: string
}

/** Prints every container of the host with its mounts, then every volume that is another name for a host path. */
export const inspectMounts: Command = sh`${defineExisting}
ids=$(${limited} docker ps --all --quiet --no-trunc) || exit
volumes=$(${limited} docker volume ls --quiet) || exit
[ -z "$ids" ] || existing ${limited} docker inspect --type container --format ${format} $ids || exit
[ -z "$volumes" ] || existing ${limited} docker volume inspect --format '{"volume":{{json .Name}},"path":{{json .Mountpoint}},"options":{{json .Options}}}' $volumes`

/**
 * Which of the containers that `inspectMounts` printed have one of `sources` (host paths, volume names) mounted
 * writable, and run or may be started by their restart policy alone. A volume, its mount point and the host path behind
 * it are one and the same.
 */
export function parseMounting(output: string, sources: readonly string[]): readonly Mounting[] {
  const seen = output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => lineSchema.parse(JSON.parse(line)))
  const volumes = seen.flatMap((one) => ("volume" in one ? [namesOf(one)] : []))
  const wanted = new Set(sources.map(plain).flatMap((source) => [source, ...aliases(source, volumes)]))
  return seen.flatMap((one) =>
    "id" in one &&
    mayServe(one) &&
    (one.mounts ?? []).some((mount) => mount.RW && (wanted.has(mount.Name) || wanted.has(plain(mount.Source))))
      ? [toMounting(one)]
      : [],
  )
}

/**
 * The engine starts what is stopped when it starts itself: `always` whoever stopped it, `on-failure` what ended with a code
 * (docs.docker.com, "Start containers automatically"). What is stopped under `unless-stopped` was stopped by somebody.
 */
function mayServe({ state, policy, code }: Mounted): boolean {
  if (["running", "restarting", "paused"].includes(state)) return true
  return policy === "always" || (policy === "on-failure" && code !== 0)
}

function toMounting({ id, name, state, policy, labels }: Mounted): Mounting {
  const label = (key: string) => labels?.[`com.docker.compose.${key}`] ?? ""
  const names = { project: label("project"), service: label("service") }
  return { id, name: name.replace(/^\//, ""), state, restartPolicy: policy, ...names }
}

const containerSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  code: z.int(),
  policy: z.string(),
  labels: z.record(z.string(), z.string()).nullish(),
  mounts: z
    .array(z.object({ Name: z.string().default(""), Source: z.string().default(""), RW: z.boolean() }))
    .nullish(),
})
type Mounted = z.output<typeof containerSchema>

const volumeSchema = z.object({
  volume: z.string(),
  path: z.string(),
  options: z.object({ device: z.string().optional(), o: z.string().optional() }).nullish(),
})
const lineSchema = z.union([containerSchema, volumeSchema])

function namesOf({ volume, path, options }: z.output<typeof volumeSchema>): readonly string[] {
  const device = bindDevice(options)
  return [volume, plain(path), ...(device === undefined ? [] : [plain(device)])]
}

function aliases(source: string, volumes: readonly (readonly string[])[]): readonly string[] {
  return volumes.filter((names) => names.includes(source)).flat()
}
