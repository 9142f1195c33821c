import { z } from "zod"
import { failure } from "../../core/errors.ts"
import type { DatabaseContents } from "../../core/manifest.ts"
import { valuesOf } from "./marked-lines.ts"

const countSchema = z.object({
  schema: z.string(),
  name: z.string(),
  rows: z.number(),
  spread: z.string().optional(),
  checksum: z.string().optional(),
})

const extensionSchema = z.object({ name: z.string(), version: z.string() })

/**
 * A database's contents from the lines that `countSql` gives. Throws when a line is missing: a count that was cut off
 * must never look like a small database (S7).
 */
export function databaseContents(name: string, facts: readonly string[]): DatabaseContents {
  const [size] = valuesOf(facts, "size").map(Number)
  const [largeObjects] = valuesOf(facts, "objects").map(Number)
  if (size === undefined || largeObjects === undefined)
    throw failure("postgres-count", `the rows of ${name} were not counted: the answer has no size`)
  const tables = valuesOf(facts, "table").map((line) =>
    countSchema.parse(JSON.parse(line.slice(line.indexOf(" ") + 1))),
  )
  const [largeObjectsChecksum] = valuesOf(facts, "objects-checksum")
  const extensions = valuesOf(facts, "extension").map((line) => extensionSchema.parse(JSON.parse(line)))
  return {
    name,
    size,
    largeObjects,
    tables,
    extensions,
    ...(largeObjectsChecksum !== undefined && { largeObjectsChecksum }),
  }
}

export function rowsOf(database: Pick<DatabaseContents, "tables">): number {
  return database.tables.reduce((sum, { rows }) => sum + rows, 0)
}
