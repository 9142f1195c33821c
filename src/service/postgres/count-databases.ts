import type { DatabaseContents } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { databaseContents } from "./contents.ts"
import { ask } from "./inside.ts"
import { checksumSql, countSql } from "./sql.ts"

/** An hour: exact counts read every page of every table. */
const limit = 3_600_000

/** Exact counts of these databases as they are now, with checksums of their content if asked for. */
export async function countDatabases(
  service: Service,
  container: Container,
  databases: readonly string[],
  { checksums = false }: { readonly checksums?: boolean } = {},
): Promise<readonly DatabaseContents[]> {
  const answers = await ask(service, container, checksums ? checksumSql : countSql, { databases, limit })
  return databases.map((name, at) => databaseContents(name, answers[at] ?? []))
}
