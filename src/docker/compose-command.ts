import type { Config } from "../core/config.ts"
import { layout } from "../core/layout.ts"
import { type Command, sh } from "../shell/command.ts"

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

/**
 * Shell text up to and including `docker compose` with its global options; a subcommand follows it. It runs in the
 * base directory and in an empty environment: a variable of the shell would beat the env-file (a stray `IMAGE_TAG`
 * turned rollbacks into redeploys). `prefix` stands before `docker`, for a time limit; `deployed` adds the images of
 * the last deploy; with `override`, an extra compose file comes on standard input.
 */
export function composeCommand(
  config: ComposeConfig,
  options: { readonly prefix?: Command; readonly deployed?: boolean; readonly override?: boolean } = {},
): Command {
  const { base } = layout(config)
  const deployed = deployedImagesFile(config)
  const files = config.compose.files.flatMap((file) => ["-f", file])
  const globals = ["--ansi", "never", "--project-name", config.project, "--project-directory", base]
  const extra = options.override ? ["-f", "-"] : []
  const before = options.deployed ? sh`[ ! -e ${deployed} ] || set -- -f ${deployed}` : sh`:`
  return sh`cd ${base} || exit 14
set --
${before}
${cleanEnvironment} ${options.prefix ?? sh``} docker compose ${globals} --env-file ${config.compose["env-file"]} ${files} "$@" ${extra}`
}

/** Kept: where the programs, the user's registry logins and the engine are. Orphans are never removed by a side effect. */
const cleanEnvironment = sh`env -i PATH="$PATH" HOME="\${HOME:-/}" LC_ALL=C COMPOSE_REMOVE_ORPHANS=0 COMPOSE_IGNORE_ORPHANS=1 \${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} \${DOCKER_CONFIG:+"DOCKER_CONFIG=$DOCKER_CONFIG"} \${DOCKER_CONTEXT:+"DOCKER_CONTEXT=$DOCKER_CONTEXT"}`
