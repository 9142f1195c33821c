import type { PostgresFormat } from "../../core/config.ts"
import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { execInside, named } from "./inside.ts"
import { markedLines, newNonce, valuesOf } from "./marked-lines.ts"

/** How a stored file is read: an archive of pg_dump, one that zstd packed as a whole, a tar file of a directory, gzipped SQL. */
export type Stored = "archive" | "zst" | "directory" | "sql"

interface Packed {
  readonly extension: string
  readonly stored: Stored
}

/** What a dump can be: packed by pg_dump with zstd or gzip, by zstd behind it, as a directory, or as SQL. */
const packings = {
  zstd: { extension: ".dump", stored: "archive" },
  gzip: { extension: ".dump", stored: "archive" },
  "zstd-pipe": { extension: ".dump.zst", stored: "zst" },
  "directory-zstd": { extension: ".dir.tar", stored: "directory" },
  "directory-gzip": { extension: ".dir.tar", stored: "directory" },
  plain: { extension: ".sql.gz", stored: "sql" },
} as const satisfies Record<string, Packed>
export type Packing = keyof typeof packings

export function packed(packing: Packing): Packed {
  return packings[packing]
}

/** How the file of a backup is read, by its name. */
export function storedAs(file: string): Stored {
  const found = Object.values(packings).find(({ extension }) => file.endsWith(extension))
  if (found) return found.stored
  throw failure("manifest-incomplete", `${file} has no name that a dump of a database has`)
}

/** The quickest packing for the format that this container's programs know (gzip costs most of a dump's time). */
export async function choosePacking(service: Service, container: Container, format: PostgresFormat): Promise<Packing> {
  if (format === "plain") return "plain"
  const nonce = newNonce()
  const { stdout } = await service.host
    .run(execInside("read", container, { name: "format", args: [nonce] }))
    .catch((error: unknown) => {
      throw named(`asking ${service.name} how it can pack a dump`, "postgres-answer", error)
    })
  const [known] = valuesOf(markedLines(stdout, nonce), "format")
  if (known !== "zstd" && known !== "zstd-pipe" && known !== "gzip")
    throw failure("postgres-answer", `the container of ${service.name} did not say how it can pack a dump`)
  if (format === "custom") return known
  return known === "zstd" ? "directory-zstd" : "directory-gzip"
}

/** What a dry run takes for `choosePacking`. */
export function assumedPacking(format: PostgresFormat): Packing {
  return format === "custom" ? "zstd" : format === "directory" ? "directory-zstd" : "plain"
}
