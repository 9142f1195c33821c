import type { Service } from "../driver.ts"
import { identifier } from "./identifiers.ts"
import { commentedMark, type DatabaseFacts, markOf } from "./server-facts.ts"

/** One sentence for each database that a person may expect to be treated otherwise by a backup of `chosen`. */
export function backupAdvice({ name }: Pick<Service, "name">, chosen: readonly DatabaseFacts[]): readonly string[] {
  return chosen
    .filter((one) => commentedMark(one) !== undefined && markOf(one) === undefined)
    .map((one) => {
      const named = identifier(one.name)
      return `${name}: the comment of database ${named} says that a restore put it aside, its name does not: it is taken for live. If it is, run: COMMENT ON DATABASE ${named} IS NULL;`
    })
}
