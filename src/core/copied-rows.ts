import type { CopiedRows } from "./dump-scan.ts"
import type { TableCount } from "./manifest.ts"

export interface CopiedDifferences {
  /** One line each: a table that has not as many rows as the COPYs of the script brought. */
  readonly wrong: readonly string[]
  /** Tables, as the script writes them, that are not known by that name: partitioned ones, or one name in several schemas. */
  readonly unknown: readonly string[]
}

/** Compares the rows that a foreign script copies with those that came in, whether it names the schemas or not. */
export function compareCopied(copied: readonly CopiedRows[], counted: readonly TableCount[]): CopiedDifferences {
  const wrong: string[] = []
  const unknown: string[] = []
  for (const [table, parts] of Map.groupBy(copied, (one) => one.table)) {
    const expected = parts.reduce((sum, { rows }) => sum + rows, 0)
    const [found, second] = counted.filter((one) => isNamed(one, namesIn(table)))
    if (!found || second) unknown.push(table)
    else if (found.rows !== expected) wrong.push(`${table}: ${found.rows} rows instead of ${expected}`)
  }
  return { wrong, unknown }
}

function isNamed({ schema, name }: TableCount, names: readonly string[]): boolean {
  const [last, first] = names.toReversed()
  return name === last && (first === undefined || schema === first)
}

/** `schema.table`, as the server reads it: what is not quoted is in lower case. */
function namesIn(table: string): readonly string[] {
  return [...table.matchAll(/"((?:[^"]|"")*)"|[^".\s]+/g)].map(
    ([text, quoted]) => quoted?.replaceAll('""', '"') ?? text.toLowerCase(),
  )
}
