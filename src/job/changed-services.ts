import { parse } from "yaml"
import { z } from "zod"

/** A compose file in two commits; undefined where it does not exist. */
export interface ComposeFile {
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
}

const composeSchema = z.looseObject({ services: z.record(z.string(), z.unknown()).default({}) })
type Compose = z.output<typeof composeSchema>

/**
 * Services whose definition differs, or whose build files, env files or mounted files are among `files`. A best guess from the
 * files alone (variables are not filled in): `all` as soon as something differs that cannot be laid at one service's
 * door. Pure.
 */
export function changedServices(
  composeFiles: readonly ComposeFile[],
  files: readonly string[],
): readonly string[] | "all" {
  const changed = new Set<string>()
  const owners: { readonly path: string; readonly service: string }[] = []
  for (const { path, before, after } of composeFiles) {
    const [old, now] = [read(before), read(after)]
    if (!old || !now || differ({ ...old, services: {} }, { ...now, services: {} })) return "all"
    for (const name of new Set([...Object.keys(old.services), ...Object.keys(now.services)])) {
      if (differ(old.services[name], now.services[name])) changed.add(name)
      const parts = localPaths(now.services[name]).map((local) => beside(path, local))
      // A build context that is the whole repository names no service.
      owners.push(...parts.filter((part) => part !== "").map((part) => ({ path: part, service: name })))
    }
  }
  for (const file of files.filter((one) => !composeFiles.some(({ path }) => path === one))) {
    const owning = owners.filter(({ path }) => file === path || file.startsWith(`${path}/`))
    if (owning.length === 0) return "all"
    for (const { service } of owning) changed.add(service)
  }
  return [...changed].sort()
}

function read(text: string | undefined): Compose | undefined {
  if (text === undefined) return undefined
  try {
    return composeSchema.safeParse(parse(text, { merge: true })).data
  } catch {
    // Not YAML: the caller counts every service as changed, and compose itself will say what is wrong.
    return undefined
  }
}

const localsSchema = z.object({
  build: z
    .union([
      z.string(),
      z.looseObject({ context: z.string().default("."), dockerfile: z.string().default("Dockerfile") }),
    ])
    .optional(),
  volumes: z.array(z.union([z.string(), z.looseObject({ source: z.string().optional() })])).default([]),
  env_file: z.union([z.string(), z.array(z.union([z.string(), z.looseObject({ path: z.string() })]))]).default([]),
})

/** Paths beside the compose file that a service is made of. */
function localPaths(definition: unknown): readonly string[] {
  const { data } = localsSchema.safeParse(definition)
  if (!data) return []
  const build =
    typeof data.build === "string"
      ? [data.build]
      : data.build
        ? [data.build.context, `${data.build.context}/${data.build.dockerfile}`]
        : []
  const mounts = data.volumes.map((one) => (typeof one === "string" ? one.split(":")[0] : one.source) ?? "")
  const env = [data.env_file].flat().map((one) => (typeof one === "string" ? one : one.path))
  return [...build, ...mounts.filter((source) => source.startsWith(".")), ...env]
}

/** `other`, seen from the folder of `file`, as a path in the repository. */
function beside(file: string, other: string): string {
  const parts = file.split("/").slice(0, -1)
  for (const part of other.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "." && part !== "") parts.push(part)
  }
  return parts.join("/")
}

function differ(one: unknown, other: unknown): boolean {
  return canonical(one) !== canonical(other)
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? ""
  )
}
