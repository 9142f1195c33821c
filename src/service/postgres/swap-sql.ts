import { identifier, literal } from "./identifiers.ts"
import type { Beside } from "./restore-job.ts"

/** Which restore replaces them and when; `at` is ISO 8601. */
export interface Replacement {
  readonly run: string
  readonly at: string
  /** Databases that it makes where nothing was: to undo it is to put them aside. */
  readonly made: readonly string[]
  /** It is moved aside only to be dropped: see `restore-in-place.ts`. */
  readonly leaving?: boolean
  /** What is moved aside was brought by a restore that did not come to its end. */
  readonly failed?: boolean
  /** Nothing was there: the mark is on an empty database, made by `nothingSql`. */
  readonly nothing?: boolean
}

/**
 * The transaction that puts restored databases in the place of the live ones: all or none. Rights, comment and settings
 * of a database belong to it, not to its name, so those of the backup are set after its renaming. The names are the
 * journal: live and new before it, live and old after it, never without live. `nothing` is the one whose old name an empty
 * database bears, where none of them had anything to replace.
 */
export function swapSql(
  restored: readonly Pick<Beside, "live" | "name" | "old" | "exists" | "properties">[],
  comments: ReadonlyMap<string, string | null>,
  {
    run,
    at,
    nothing,
  }: Pick<Replacement, "run" | "at"> & { readonly nothing: Pick<Beside, "live" | "old"> | undefined },
): string {
  const made = restored.filter((one) => !one.exists).map((one) => one.live)
  const statements = restored.flatMap(({ live, name, old, exists, properties }) => [
    ...(exists ? moveAside(live, old, { comment: comments.get(live) ?? null, run, at, made }) : []),
    `alter database ${identifier(name)} rename to ${identifier(live)}`,
    `comment on database ${identifier(live)} is null`,
    // In the order of the backup, what it had while it was filled among them.
    `alter database ${identifier(live)} reset all`,
    ...properties,
  ])
  const none = nothing ? [markReplaced(nothing.live, nothing.old, { comment: null, run, at, made, nothing: true })] : []
  return ["begin", ...statements, ...none, "commit", ""].join(";\n")
}

/** The mark keeps it out of later backups, and says what it was called: a name can be cut at 63 bytes. */
export function moveAside(
  live: string,
  old: string,
  kept: Replacement & { readonly comment: string | null },
): readonly string[] {
  return [`alter database ${identifier(live)} rename to ${identifier(old)}`, markReplaced(live, old, kept)]
}

/** The statement that marks the database `old` as what was there by the name `live`. */
export function markReplaced(
  live: string,
  old: string,
  kept: Replacement & { readonly comment: string | null },
): string {
  const mark = JSON.stringify({ "infra-actions": "replaced", name: live, ...kept })
  return `comment on database ${identifier(old)} is ${literal(mark)}`
}

/**
 * Statements that make an empty database which stands for one that is not there, so that a restore into nothing leaves a
 * name as well: by it a cut one is known, and an undo takes all services back or none. Until a swap marks it, it is a leftover.
 */
export function nothingSql(live: string, old: string): string {
  return `create database ${identifier(old)} template template0;\n${markLeftover(live, old)};\n`
}

/** The statement by which `old` is for the next work to drop. */
export function markLeftover(live: string, old: string): string {
  const mark = JSON.stringify({ "infra-actions": "restoring", name: live })
  return `comment on database ${identifier(old)} is ${literal(mark)}`
}
