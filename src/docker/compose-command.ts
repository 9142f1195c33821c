import { posix } from "node:path"
import type { Config } from "../core/config.ts"
import { layout } from "../core/layout.ts"
import { type Command, lines, sh } from "../shell/command.ts"

/** What of the configuration decides how compose is called. */
export type ComposeConfig = Pick<Config, "project" | "environment" | "host" | "backup" | "compose">

/**
 * File on the host with the images of the last deploy, as a compose override: every `up` reads it when it is there, so
 * that none puts back an older image that the compose files still name.
 */
export function deployedImagesFile(config: ComposeConfig): string {
  return `${layout(config).state}/images.json`
}

/** A compose override (JSON is YAML) that says which image each service runs. */
export function imagesOverride(images: Readonly<Record<string, string>>, pull?: "never" | "missing"): string {
  const services = Object.entries(images).map(([service, image]) => [
    service,
    { image, ...(pull === undefined ? {} : { pull_policy: pull }) },
  ])
  return JSON.stringify({ services: Object.fromEntries(services) })
}

/** A file of the definition as it would be: its path is relative to the base directory. */
export interface PreviewFile {
  readonly path: string
  readonly content: string
}

export interface CommandOptions {
  /** Stands before `docker`, for a time limit. */
  readonly prefix?: Command
  /** Adds the images of the last deploy. */
  readonly deployed?: boolean
  /** An extra compose file comes on standard input. */
  readonly override?: boolean
  /** Files that stand in for the host's, for looking only; the text must then run in a subshell, where its trap ends with it. */
  readonly preview?: readonly PreviewFile[]
}

/**
 * Shell text up to and including `docker compose` with its global options; a subcommand follows it. It runs in the
 * base directory and in an empty environment: a variable of the shell would beat the env-file (a stray `IMAGE_TAG`
 * turned rollbacks into redeploys).
 */
export function composeCommand(config: ComposeConfig, options: CommandOptions = {}): Command {
  const { base } = layout(config)
  const deployed = deployedImagesFile(config)
  const { make, at } = previewed(options.preview ?? [])
  const files = config.compose.files.map((file) => sh`-f ${at(file)}`)
  const globals = ["--ansi", "never", "--project-name", config.project, "--project-directory", base]
  const extra = options.override ? ["-f", "-"] : []
  const before = options.deployed ? sh`[ ! -e ${deployed} ] || set -- -f ${deployed}` : sh`:`
  const envFile = at(config.compose["env-file"])
  const named = files.reduce((all, file) => sh`${all} ${file}`, sh``)
  return sh`cd ${base} || exit 14
${make}
set --
${before}
${cleanEnvironment} ${options.prefix ?? sh``} docker compose ${globals} --env-file ${envFile} ${named} "$@" ${extra}`
}

/** Writes the files that stand in for the host's into a folder that goes away with the shell, and says where a file then is. */
function previewed(files: readonly PreviewFile[]): { readonly make: Command; readonly at: (path: string) => Command } {
  const norm = (path: string) => posix.normalize(path)
  const names = new Map(files.map((file, index) => [norm(file.path), `${index}-${posix.basename(file.path)}`]))
  const at = (path: string) => {
    const name = names.get(norm(path))
    return name === undefined ? sh`${path}` : sh`"$preview"/${name}`
  }
  if (files.length === 0) return { make: sh`:`, at }
  const written = files.map(({ path, content }) => sh`printf '%s' ${content} >${at(path)} || exit`)
  return { make: lines(sh`preview=$(mktemp -d) || exit; trap 'rm -rf "$preview"' EXIT`, ...written), at }
}

/** Kept: where the programs, the user's registry logins and the engine are. Orphans are never removed by a side effect. */
const cleanEnvironment = sh`env -i PATH="$PATH" HOME="\${HOME:-/}" LC_ALL=C COMPOSE_REMOVE_ORPHANS=0 COMPOSE_IGNORE_ORPHANS=1 \${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} \${DOCKER_CONFIG:+"DOCKER_CONFIG=$DOCKER_CONFIG"} \${DOCKER_CONTEXT:+"DOCKER_CONTEXT=$DOCKER_CONTEXT"}`
