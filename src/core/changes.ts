import ignore from "ignore"
import type { Config } from "./config.ts"

export const components = ["infra", "app", "migrations"] as const
export type Component = (typeof components)[number]

/** Per component the changed files, in the order given. */
export type Changes = Readonly<Record<Component, readonly string[]>>

/**
 * Which component each changed file belongs to: it matches at least one pattern of `paths` and none that begins with
 * `!`. Patterns read as in .gitignore: `docker/` is a folder and all in it, `*.md` a name at any depth, `/infra.yml` one at
 * the root. A file under `migrations` is neither infra nor app, whatever their patterns say. Paths are relative to the repository.
 */
export function sortChanges(files: readonly string[], paths: Config["paths"]): Changes {
  const matches = {
    infra: matcher(paths.infra),
    app: matcher(paths.app),
    migrations: matcher(paths.migrations),
  }
  const migrations = files.filter(matches.migrations)
  const others = files.filter((file) => !matches.migrations(file))
  return { infra: others.filter(matches.infra), app: others.filter(matches.app), migrations }
}

/** Patterns that can never match as they are meant, with the reason: for a warning. */
export function uselessPatterns(patterns: readonly string[]): readonly { pattern: string; reason: string }[] {
  const onlyExclusions = patterns.every((pattern) => pattern.startsWith("!"))
  return patterns.flatMap((pattern) => {
    if (pattern.startsWith("#")) return [{ pattern, reason: "it is a comment to gitignore; write \\# for the name" }]
    if (pattern.startsWith("./") || pattern.startsWith("../")) {
      return [{ pattern, reason: "paths are relative to the repository, without ./ and ../" }]
    }
    if (onlyExclusions) return [{ pattern, reason: "there is no pattern that it could take from" }]
    return pattern.trim() === "" ? [{ pattern, reason: "it is empty" }] : []
  })
}

function matcher(patterns: readonly string[]): (file: string) => boolean {
  const wanted = patternSet(patterns.filter((pattern) => !pattern.startsWith("!")))
  // Apart from the others: in one list gitignore cannot take back a file below a folder that matched.
  const excluded = patternSet(patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1)))
  return (file) => wanted.ignores(file) && !excluded.ignores(file)
}

function patternSet(patterns: readonly string[]) {
  // Git's paths differ by case.
  return ignore({ ignorecase: false, allowRelativePaths: true }).add(patterns)
}
