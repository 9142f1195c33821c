import { z } from "zod"
import { type Command, sh } from "../shell/command.ts"
import { limited } from "./engine.ts"
import type { ContainerStats } from "./stack.ts"

/** Prints, for each running container of a project, its own memory limit and one measurement of `docker stats` (takes 2 s). */
export function measureProject(project: string): Command {
  const filter = `label=com.docker.compose.project=${project}`
  const limit =
    '{"id":{{json .Id}},"service":{{json (index .Config.Labels "com.docker.compose.service")}},"limit":{{.HostConfig.Memory}}}'
  return sh`ids=$(${limited} docker ps --quiet --no-trunc --filter ${filter}) || exit
[ -n "$ids" ] || exit 0
${limited} docker inspect --type container --format ${limit} $ids || exit
${limited} docker stats --no-stream --no-trunc --format '{"of":{{json .ID}},"cpu":{{json .CPUPerc}},"memory":{{json .MemUsage}}}' $ids`
}

/** Joins what `measureProject` printed. A container without a memory limit of its own has `memoryLimit` 0. */
export function parseStats(output: string): readonly ContainerStats[] {
  const seen = output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => lineSchema.parse(JSON.parse(line)))
  return seen.flatMap((one) => {
    if (!("of" in one)) return []
    const container = seen.find((other) => "id" in other && other.id === one.of)
    if (!container || !("id" in container)) return []
    const memory = parseBytes(one.memory.split("/")[0] ?? "")
    const cpu = Number.parseFloat(one.cpu)
    // `--` is what docker prints for a container that ended while it measured.
    if (memory === undefined || Number.isNaN(cpu)) return []
    return [{ id: one.of, service: container.service, cpu: cpu / 100, memory, memoryLimit: container.limit }]
  })
}

/** Bytes of `12.5MiB` or `1.2kB`, as docker prints sizes; undefined when the text is none. */
export function parseBytes(text: string): number | undefined {
  const [, count, unit = ""] = /^\s*([\d.]+)\s*([kKMGTP]?i?B)\s*$/.exec(text) ?? []
  if (count === undefined) return undefined
  const power = "kMGTP".indexOf(unit.charAt(0).replace("K", "k")) + 1
  return Math.round(Number(count) * (unit.includes("i") ? 1024 : 1000) ** power)
}

const lineSchema = z.union([
  z.object({ id: z.string(), service: z.string(), limit: z.number() }),
  z.object({ of: z.string(), cpu: z.string(), memory: z.string() }),
])
