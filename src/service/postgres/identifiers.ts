import { createHash } from "node:crypto"

/** A name as SQL takes it, whatever characters it holds. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as an SQL string constant; our sessions have `standard_conforming_strings` on. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/**
 * A libpq connection string for a database of any name; an empty name stands for the image's own database. A bare name
 * would be taken for a connection string itself when it holds `=` or begins with `postgres:`.
 */
export function connectionTo(database: string): string {
  return database === "" ? "" : `dbname='${database.replaceAll(/['\\]/g, "\\$&")}'`
}

/** The name of a database restored beside `database` (`new`), or of the one that it replaced (`old`): at most 63 bytes. */
export function besideName(database: string, state: "new" | "old", run: string): string {
  const suffix = `__${state}_${createHash("sha256").update(`${run}\0${database}`).digest("hex").slice(0, 8)}`
  return `${cutToBytes(database, 63 - suffix.length)}${suffix}`
}

/** Is this a name that `besideName` gives? */
export function isBesideName(name: string): boolean {
  return /__(new|old)_[0-9a-f]{8}$/.test(name)
}

/** A database's name as part of a step's name: kebab-case, distinct for distinct names. */
export function stepPart(database: string): string {
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(database)) return database
  const readable = database
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 30)
  return [readable, createHash("sha256").update(database).digest("hex").slice(0, 6)]
    .filter((part) => part !== "")
    .join("-")
}

function cutToBytes(text: string, limit: number): string {
  let cut = ""
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > limit) break
    cut += character
  }
  return cut
}
