import { type DumpScan, dumpScanner } from "../../core/dump-scan.ts"
import { failure, inputError } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { insideScript, named } from "./inside.ts"
import { newNonce } from "./marked-lines.ts"

/** A dump that somebody else made, somewhere on the host. */
export interface ForeignFile {
  /** Absolute path of a file, or of the folder that `pg_dump -Fd` made. */
  readonly path: string
  readonly kind: "plain" | "gzip" | "zstd" | "archive" | "directory"
}

const kinds = ["plain", "gzip", "zstd", "archive", "directory"] as const

/** Looks at the first bytes. Throws an input error when there is nothing that can be read. */
export async function foreignFile(service: Service, container: Container, path: string): Promise<ForeignFile> {
  const { stdout, code, stderr } = await service.host.run(
    script("read", remoteScript("postgres-script"), [container.id, "", "", path, ""]),
    { allow: "any" },
  )
  const kind = kinds.find((one) => one === stdout.trim())
  if (code === 0 && kind) return { path, kind }
  throw inputError("file-unreadable", `file: ${stderr.trim() || `${path} is no dump`}`, {
    hint: "Give the absolute path, on the host, of a .sql, .sql.gz, .sql.zst, .dump or tar file, or of the folder of a pg_dump -Fd.",
  })
}

export interface ForeignScan extends DumpScan {
  /** Length of the whole as SQL. */
  readonly bytes: number
}

/** Reads the whole of it as SQL, a chunk at a time. Throws a named failure when it cannot be read to its end. */
export async function scanForeign(service: Service, container: Container, file: ForeignFile): Promise<ForeignScan> {
  const nonce = newNonce()
  const args = [container.id, insideScript("script"), nonce, file.path, file.kind]
  const { stdout, done } = service.host.stream(script("read", remoteScript("postgres-script"), args), {
    timeout: 6 * 3_600_000,
  })
  const scanner = dumpScanner()
  // Awaited below; without a handler now, a failure while we read would end the process.
  done.catch(() => undefined)
  let bytes = 0
  for await (const chunk of stdout) {
    bytes += chunk.length
    scanner.write(chunk)
  }
  const { stderr } = await done.catch((error: unknown) => {
    throw named(`reading ${file.path}`, "file-unreadable", error)
  })
  if (!stderr.includes(`${nonce} end 0`)) throw failure("file-unreadable", `${file.path} could not be read to its end`)
  return { ...scanner.end(), bytes }
}
