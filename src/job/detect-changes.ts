import { type Component, components, sortChanges, uselessPatterns } from "../core/changes.ts"
import type { Config } from "../core/config.ts"
import { inputError } from "../core/errors.ts"
import type { DeployedCommits } from "../core/release.ts"
import { type ComposeFile, changedServices } from "./changed-services.ts"
import { eventBase, type WorkflowEvent } from "./event-base.ts"
import type { Logger } from "./logger.ts"
import type { Repository } from "./repository.ts"

export const baseSources = ["input", "deployed", "event", "none"] as const
export type BaseSource = (typeof baseSources)[number]

export interface DetectOptions {
  readonly config: Pick<Config, "paths" | "compose">
  /** Compare with this commit or ref, whatever is deployed. */
  readonly base?: string | undefined
  /** What the host says is deployed; undefined when it was not asked. */
  readonly deployed: DeployedCommits | undefined
  readonly event: WorkflowEvent
  readonly log: Logger
}

export interface Changes {
  readonly head: string
  /** Compared with for the app; empty when everything counts as changed. */
  readonly base: string
  readonly baseSource: BaseSource
  /** Files by part; `all` when there is nothing to compare with. */
  readonly files: Readonly<Record<Component, readonly string[] | "all">>
  readonly services: readonly string[] | "all"
  /** One sentence a part: what it was compared with, and why. */
  readonly why: Readonly<Record<Component, string>>
}

/** A commit to compare with, or the reason why there is none. */
interface Base {
  readonly commit: string | undefined
  readonly source: BaseSource
  readonly why: string
}

/**
 * What differs between the checkout and the commit that runs on the environment, per part of the stack. Trees are
 * compared, not events, so a failed or cancelled deployment loses nothing. What cannot be found out counts as changed.
 */
export async function detectChanges(repository: Repository, options: DetectOptions): Promise<Changes> {
  const { config, log } = options
  const head = await repository.head()
  const bases = await chooseBases(repository, options)
  warnAboutPaths(await repository.paths(head), options)
  const files = {} as Record<Component, readonly string[] | "all">
  for (const part of components) {
    const { commit } = bases[part]
    files[part] = commit ? sortChanges(await repository.differing(commit, head), config.paths)[part] : "all"
  }
  if (bases.app.commit && bases.app.commit !== head && (await repository.isBehind(bases.app.commit)))
    log.warning(`this commit (${short(head)}) is older than what is deployed (${short(bases.app.commit)}): a rollback`)
  const shown = bases.app.commit ? bases.app : bases.infra
  return {
    head,
    base: shown.commit ?? "",
    baseSource: shown.source,
    files,
    services: await servicesOf(repository, { head, base: bases.infra.commit, files: files.infra, config }),
    why: { infra: bases.infra.why, app: bases.app.why, migrations: bases.migrations.why },
  }
}

/** A slip in a pattern would read as "nothing changed" for ever. */
function warnAboutPaths(all: readonly string[], { config, log }: DetectOptions): void {
  const found = sortChanges(all, config.paths)
  for (const part of ["infra", "app"] as const)
    if (found[part].length === 0) log.warning(`paths.${part} matches no file of this commit`)
  for (const part of components)
    for (const { pattern, reason } of uselessPatterns(config.paths[part]))
      log.warning(`paths.${part}: \`${pattern}\` never matches: ${reason}`)
}

async function chooseBases(repository: Repository, options: DetectOptions): Promise<Readonly<Record<Component, Base>>> {
  const { base, deployed } = options
  const one = (found: Base) => ({ infra: found, app: found, migrations: found })
  if (base !== undefined) return one(await fromInput(repository, base))
  if (options.event.name === "pull_request" || !deployed) return one(await fromEvent(repository, options))
  const infra = await fromHost(repository, deployed.infra, { what: "infrastructure", log: options.log })
  const app = await fromHost(repository, deployed.app, { what: "application", log: options.log })
  return { infra, app, migrations: app }
}

async function fromInput(repository: Repository, base: string): Promise<Base> {
  const commit = await repository.find(base)
  if (commit) return { commit, source: "input", why: `compared with ${short(commit)}, the input \`base\`` }
  throw inputError("base-unknown", `input \`base\`: there is no commit or ref \`${base}\` here or at \`origin\``, {
    hint: "Give the full hash of a commit that was pushed, or leave the input out.",
  })
}

async function fromHost(
  repository: Repository,
  deployed: string | undefined,
  { what, log }: { readonly what: string; readonly log: Logger },
): Promise<Base> {
  if (!deployed) return nothing(`everything counts as changed: the host has no record of a deployed ${what}`)
  const commit = await repository.find(deployed)
  if (commit) return { commit, source: "deployed", why: `compared with ${short(commit)}, the deployed ${what}` }
  log.warning(`the deployed ${what} is of commit ${deployed}, which \`origin\` does not have any more`)
  return nothing(`everything counts as changed: the deployed commit ${short(deployed)} cannot be fetched`)
}

async function fromEvent(repository: Repository, { event, log }: DetectOptions): Promise<Base> {
  const found = eventBase(event)
  if (found.kind === "none") return nothing(`everything counts as changed: ${found.why}`)
  const commit =
    found.kind === "commit" ? await repository.find(found.commit) : await pullBase(repository, found.commit)
  if (commit) return { commit, source: "event", why: `compared with ${short(commit)}, the ${found.why}` }
  log.warning(`the event's base ${found.commit} cannot be fetched`)
  return nothing(`everything counts as changed: the event's base ${short(found.commit)} cannot be fetched`)
}

/** The checkout of a pull request is GitHub's merge of it: its first parent is the branch without it. */
async function pullBase(repository: Repository, base: string): Promise<string | undefined> {
  const [first, ...others] = await repository.headParents()
  if (first && others.length > 0) return repository.find(first)
  return (await repository.find(base)) && repository.mergeBase(base)
}

function nothing(why: string): Base {
  return { commit: undefined, source: "none", why }
}

async function servicesOf(
  repository: Repository,
  asked: {
    readonly head: string
    readonly base: string | undefined
    readonly files: readonly string[] | "all"
    readonly config: DetectOptions["config"]
  },
): Promise<readonly string[] | "all"> {
  const { head, base, files, config } = asked
  if (files === "all" || base === undefined) return "all"
  if (files.length === 0) return []
  const names = config.compose.files.map((path) => path.split("/").at(-1))
  const paths = (await repository.paths(head)).filter((path) => names.includes(path.split("/").at(-1)))
  const composeFiles: ComposeFile[] = []
  for (const path of paths)
    composeFiles.push({ path, before: await repository.file(base, path), after: await repository.file(head, path) })
  return changedServices(composeFiles, files)
}

function short(commit: string): string {
  return commit.slice(0, 10)
}
