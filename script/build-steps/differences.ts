import { readdirSync, readFileSync, statSync } from "node:fs"
import { join, relative } from "node:path"

/** Paths, relative, of files that `built` has and `committed` has not or has otherwise; and leftovers in `committed`'s `dist/`. */
export function differences(built: string, committed: string): readonly string[] {
  const fresh = filesOf(built)
  const changed = fresh.filter((path) => contents(join(built, path)) !== contents(join(committed, path)))
  const leftovers = filesOf(join(committed, "dist")).map((path) => join("dist", path))
  return [...changed, ...leftovers.filter((path) => !fresh.includes(path))].sort()
}

function filesOf(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

function contents(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "base64") : undefined
}
