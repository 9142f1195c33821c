import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { identifier } from "./identifiers.ts"
import { ask } from "./inside.ts"
import { readServer } from "./server-facts.ts"

/** Names of databases whose collation's version is recorded and is not the one in use; asked of 15 and later, which record it. */
const staleSql = `select json_build_object('name', datname)
from pg_database
where datallowconn and datcollversion is not null
  and datcollversion is distinct from pg_database_collation_actual_version(oid)
order by datname;`

/**
 * One sentence for each database whose indexes were sorted by another version of the operating system's collation: an
 * image of the same major with a newer base keeps them, and they then miss rows until they are rebuilt.
 */
export async function collationAdvice(service: Service, container: Container): Promise<readonly string[]> {
  const { version } = await readServer(service, container)
  if (version < 150_000) return []
  const [rows = []] = await ask(service, container, staleSql)
  return rows.map((row) => {
    const name = identifier((JSON.parse(row) as { readonly name: string }).name)
    return `${service.name}: the collation of database ${name} has another version than its indexes were built with. Run in it, when the app can wait: REINDEX DATABASE ${name}; ALTER DATABASE ${name} REFRESH COLLATION VERSION;`
  })
}
