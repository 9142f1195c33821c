import type { Check } from "../../core/health.ts"
import type { LastBackup, Service } from "../driver.ts"

/** Databases that a server should have, and how that is known. */
export interface ExpectedDatabases {
  readonly names: readonly string[]
  /** Ends a sentence that begins with their names. */
  readonly because: string
}

/**
 * What is known best: the configuration, else the last proven backup, else the database that the container was to make at
 * its first start (`initial`; undefined where it was told none). Nothing where none of them tells.
 */
export function expectedDatabases(
  { name, config }: Pick<Service, "name" | "config">,
  last: LastBackup | undefined,
  initial: string | undefined,
): ExpectedDatabases {
  if (config.databases) return { names: config.databases, because: `named in services.${name}.databases` }
  if (last?.backup.contents.kind === "postgres") {
    const names = last.backup.contents.databases.map((one) => one.name)
    return { names, because: `held by the last proven backup on the host, ${last.id}` }
  }
  return { names: initial === undefined ? [] : [initial], because: "named in POSTGRES_DB" }
}

/**
 * Whether they are there: a server whose other databases are well can have lost the one that counts. Never more than a warning,
 * for somebody may have dropped it on purpose, and a recreation would not bring it back.
 */
export function checkDatabases({ names, because }: ExpectedDatabases, there: readonly string[]): Check {
  const name = "databases"
  const missing = names.filter((one) => !there.includes(one))
  if (missing.length === 0)
    return { name, state: "ok", detail: names.length === 0 ? "none is known" : `${listed(names)}, ${because}` }
  const others = there.length === 0 ? "no other" : listed(there)
  const detail = `missing: ${listed(missing)}, ${because}; the server has ${others}`
  return { name, state: "warning", detail }
}

function listed(names: readonly string[]): string {
  const more = names.length > 10 ? ` and ${names.length - 10} more` : ""
  return `${names
    .slice(0, 10)
    .map((one) => `"${one}"`)
    .join(", ")}${more}`
}
