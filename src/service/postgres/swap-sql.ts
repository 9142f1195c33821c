import { identifier, literal } from "./identifiers.ts"
import type { Beside } from "./restore-job.ts"

/**
 * The transaction that puts restored databases in the place of the live ones: all or none. Rights, comment and settings
 * of a database belong to it, not to its name, so those of the backup are set after its renaming. The names are the
 * journal: live and new before it, live and old after it, never without live.
 */
export function swapSql(
  restored: readonly Pick<Beside, "live" | "name" | "old" | "exists" | "properties">[],
  comments: ReadonlyMap<string, string | null>,
): string {
  const statements = restored.flatMap(({ live, name, old, exists, properties }) => [
    ...(exists ? moveAside(live, old, comments.get(live) ?? null) : []),
    `alter database ${identifier(name)} rename to ${identifier(live)}`,
    `comment on database ${identifier(live)} is null`,
    ...properties,
  ])
  return ["begin", ...statements, "commit", ""].join(";\n")
}

/** The mark keeps it out of later backups, and says what it was called: a name can be cut at 63 bytes. */
function moveAside(live: string, old: string, comment: string | null): readonly string[] {
  const mark = JSON.stringify({ "infra-actions": "replaced", name: live, comment })
  return [
    `alter database ${identifier(live)} rename to ${identifier(old)}`,
    `comment on database ${identifier(old)} is ${literal(mark)}`,
  ]
}
