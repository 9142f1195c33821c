import { failure } from "../core/errors.ts"
import type { Artifact } from "../core/manifest.ts"
import type { Host } from "../host/host.ts"
import { hashingScript } from "../remote/hashing-script.ts"
import { script } from "../shell/command.ts"

/** What a file really holds; undefined where there is none that can be read. */
export type StoredFiles = ReadonlyMap<string, { readonly bytes: number; readonly sha256: string } | undefined>

/**
 * Reads every byte of these files in a directory of backups: how they differ from what the manifest says, one line each. Ends
 * after `timeout` milliseconds, as long as a slow disk takes unless told.
 */
export async function wrongFiles(
  host: Host,
  directory: string,
  artifacts: readonly Artifact[],
  timeout = readingTime(artifacts),
): Promise<readonly string[]> {
  const files = artifacts.map(({ file }) => file)
  const { stdout } = await host.run(script("read", hashingScript("store-verify"), [directory, ...files]), { timeout })
  return differences(artifacts, parseVerified(stdout))
}

/** Throws `backup-corrupt` when local files of this backup are `wrong`, as `wrongFiles` tells it. */
export function assertWhole(id: string, wrong: readonly string[]): void {
  if (wrong.length > 0)
    throw failure("backup-corrupt", `the local files of ${id} are not what their manifest says: ${wrong.join("; ")}`)
}

/** Reads the lines of `store-verify.sh`. */
export function parseVerified(text: string): StoredFiles {
  const files = new Map<string, { readonly bytes: number; readonly sha256: string } | undefined>()
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const [, bytes = "", sha256 = "", file = ""] = /^(\d+|-) ([0-9a-f]{64}|-) (.+)$/.exec(line) ?? []
    if (file === "")
      throw failure(
        "host-answer",
        `the check of the stored files gave a line that cannot be read: ${line.slice(0, 120)}`,
      )
    files.set(file, bytes === "-" ? undefined : { bytes: Number(bytes), sha256 })
  }
  return files
}

/** Milliseconds: ten minutes and what reading takes at 5 MB/s. */
export function readingTime(artifacts: readonly Artifact[]): number {
  return 600_000 + artifacts.reduce((sum, { bytes }) => sum + bytes, 0) / 5_000
}

/** How the files differ from what the manifest says, one line each. A file that was not looked at differs. */
export function differences(artifacts: readonly Artifact[], stored: StoredFiles): readonly string[] {
  return artifacts.flatMap(({ file, bytes, sha256 }) => {
    const found = stored.get(file)
    if (found === undefined) return [`${file} is missing or cannot be read`]
    if (found.bytes !== bytes) return [`${file} has ${found.bytes} bytes instead of ${bytes}`]
    return found.sha256 === sha256 ? [] : [`${file} has the right length but other bytes (SHA-256 differs)`]
  })
}
