import { z } from "zod"
import { type Command, sh } from "../shell/command.ts"
import { limited } from "./engine.ts"
import { defineExisting } from "./existing.ts"

/** A volume that compose made for the project. */
export interface ProjectVolume {
  readonly name: string
  /** The host path behind it, for a bind-driver volume: of the day on which it was made. */
  readonly device: string | undefined
}

/** Prints every volume that compose made for this project, whatever the files say today. */
export function inspectVolumes(project: string): Command {
  return sh`${defineExisting}
volumes=$(${limited} docker volume ls --quiet --filter ${`label=com.docker.compose.project=${project}`}) || exit
[ -z "$volumes" ] || existing ${limited} docker volume inspect --format '{"name":{{json .Name}},"options":{{json .Options}}}' $volumes`
}

export function parseVolumes(output: string): readonly ProjectVolume[] {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const { name, options } = lineSchema.parse(JSON.parse(line))
      return { name, device: bindDevice(options) }
    })
}

const lineSchema = z.object({ name: z.string(), options: z.record(z.string(), z.string()).nullish() })

/** The host path behind a volume of the driver `local` whose options say that it is a bind mount. */
export function bindDevice(options: Readonly<Record<string, unknown>> | null | undefined): string | undefined {
  const flags = String(options?.o ?? "").split(",")
  const device = options?.device
  return flags.some((flag) => flag === "bind" || flag === "rbind") && typeof device === "string" ? device : undefined
}

/** Without the trailing slashes with which a compose file may write a path. */
export function plain(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path
}
