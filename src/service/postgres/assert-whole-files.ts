import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { ask } from "./inside.ts"
import { shortTablesSql } from "./sql.ts"

/**
 * Throws when a table's file is shorter than the catalog says: a file cut at a page boundary is dumped with code 0 and
 * counted as it is. A vacuum that is just giving pages back looks the same for a moment, so it is looked at twice.
 */
export async function assertWholeFiles(
  service: Service,
  container: Container,
  databases: readonly string[],
): Promise<void> {
  const first = await ask(service, container, shortTablesSql, { databases })
  const suspects = databases.filter((_, at) => (first[at]?.length ?? 0) > 0)
  if (suspects.length === 0) return
  const second = await ask(service, container, `select from pg_sleep(3);\n${shortTablesSql}`, { databases: suspects })
  const short = suspects.flatMap((database, at) => {
    const before = new Set(first[databases.indexOf(database)])
    return (second[at] ?? []).filter((table) => before.has(table)).map((table) => `${database}: ${JSON.parse(table)}`)
  })
  if (short.length === 0) return
  throw failure(
    "postgres-damaged",
    `files of ${service.name} are shorter than its catalog says, so rows are missing: ${short.slice(0, 5).join(", ")}`,
    {
      hint: "Take a cold copy of the data directory, then restore the last proven backup. If you know that nothing is missing, VACUUM these tables and run again.",
    },
  )
}
