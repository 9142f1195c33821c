import { z } from "zod"
import { type Command, sh } from "../shell/command.ts"
import { limited } from "./engine.ts"
import { defineExisting } from "./existing.ts"

/** Prints every running container of the host with its mounts, then every volume that is another name for a host path. */
export const inspectMounts: Command = sh`${defineExisting}
ids=$(${limited} docker ps --quiet --no-trunc) || exit
volumes=$(${limited} docker volume ls --quiet) || exit
[ -z "$ids" ] || existing ${limited} docker inspect --type container --format '{"id":{{json .Id}},"name":{{json .Name}},"mounts":{{json .Mounts}}}' $ids || exit
[ -z "$volumes" ] || existing ${limited} docker volume inspect --format '{"volume":{{json .Name}},"path":{{json .Mountpoint}},"options":{{json .Options}}}' $volumes`

/**
 * Which of the containers that `inspectMounts` printed have one of `sources` (host paths, volume names) mounted
 * writable. A volume, its mount point and the host path behind it are one and the same.
 */
export function parseMounting(
  output: string,
  sources: readonly string[],
): readonly { readonly id: string; readonly name: string }[] {
  const seen = output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => lineSchema.parse(JSON.parse(line)))
  const volumes = seen.flatMap((one) => ("volume" in one ? [namesOf(one)] : []))
  const wanted = new Set(sources.map(plain).flatMap((source) => [source, ...aliases(source, volumes)]))
  return seen.flatMap((one) =>
    "id" in one &&
    (one.mounts ?? []).some((mount) => mount.RW && (wanted.has(mount.Name) || wanted.has(plain(mount.Source))))
      ? [{ id: one.id, name: one.name.replace(/^\//, "") }]
      : [],
  )
}

const containerSchema = z.object({
  id: z.string(),
  name: z.string(),
  mounts: z
    .array(z.object({ Name: z.string().default(""), Source: z.string().default(""), RW: z.boolean() }))
    .nullish(),
})
const volumeSchema = z.object({
  volume: z.string(),
  path: z.string(),
  options: z.object({ device: z.string().optional(), o: z.string().optional() }).nullish(),
})
const lineSchema = z.union([containerSchema, volumeSchema])

function namesOf({ volume, path, options }: z.output<typeof volumeSchema>): readonly string[] {
  const bound = options?.device !== undefined && /\br?bind\b/.test(options.o ?? "")
  return [volume, plain(path), ...(bound ? [plain(options.device ?? "")] : [])]
}

function aliases(source: string, volumes: readonly (readonly string[])[]): readonly string[] {
  return volumes.filter((names) => names.includes(source)).flat()
}

/** Without the trailing slashes with which a compose file may write a path. */
function plain(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path
}
