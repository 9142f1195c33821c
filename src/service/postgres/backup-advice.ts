import type { DatabaseContents } from "../../core/manifest.ts"
import type { Service } from "../driver.ts"
import { identifier } from "./identifiers.ts"
import { commentedMark, type DatabaseFacts, markOf } from "./server-facts.ts"
import { unrestorableExtensions } from "./unrestorable-extensions.ts"

/** One sentence for each database that a person may expect to be treated otherwise by a backup of `chosen`. */
export function backupAdvice({ name }: Pick<Service, "name">, chosen: readonly DatabaseFacts[]): readonly string[] {
  return chosen
    .filter((one) => commentedMark(one) !== undefined && markOf(one) === undefined)
    .map((one) => {
      const named = identifier(one.name)
      return `${name}: the comment of database ${named} says that a restore put it aside, its name does not: it is taken for live. If it is, run: COMMENT ON DATABASE ${named} IS NULL;`
    })
}

/** One sentence for each extension that is in the backup and that a restore of it would refuse. */
export function extensionAdvice(
  { name }: Pick<Service, "name">,
  databases: readonly DatabaseContents[],
): readonly string[] {
  return unrestorableExtensions(databases).map(
    (one) =>
      `${name}: no restore can bring back ${one}, so this backup comes back by hand only (docs/by-hand.md). For the other databases to come back without it, name them in services.${name}.databases.`,
  )
}
