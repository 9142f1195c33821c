import { failure, inputError, messageOf } from "../core/errors.ts"
import { type Manifest, manifestSchema } from "../core/manifest.ts"
import { artifactsOf } from "../core/manifest-contents.ts"
import type { Named } from "./backup-store.ts"

/** The folder of manifests, in the backup directory and below the prefix in S3. */
export const manifestFolder = "metadata"

/** Where a backup's manifest lies, relative to the backup directory or the prefix. */
export function manifestFile(id: string): string {
  return `${manifestFolder}/${id}.json`
}

/** The manifest's bytes as every store keeps them. */
export function printManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifestSchema.parse(manifest), undefined, 2)}\n`
}

/** What a manifest's text says, or why it cannot be read. */
export function readManifest(text: string): { readonly manifest: Manifest } | { readonly problem: string } {
  try {
    const result = manifestSchema.safeParse(JSON.parse(text))
    if (result.success) return { manifest: result.data }
    const [issue] = result.error.issues
    return { problem: `${issue?.path.join(".") || "manifest"}: ${issue?.message ?? "does not match"}` }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

/** The files that a manifest names. Throws when one would lie outside of the backup directory: such a manifest is not ours. */
export function artifactFiles(manifest: Pick<Manifest, "id" | "services">): readonly string[] {
  const files = artifactsOf(manifest).map(({ file }) => file)
  const foreign = files.find((file) => !/^[a-z]+\/[^/\n]+$/.test(file) || file.includes("/.."))
  if (foreign === undefined) return files
  throw inputError(
    "manifest-path",
    `the manifest of ${manifest.id} names a file outside of the backup directory: ${foreign}`,
  )
}

/** What lies where manifests lie. */
export interface NamedText {
  readonly name: string
  /** Empty when there is a problem. */
  readonly text: string
  /** Why it cannot be read. */
  readonly problem?: string
}

/** A file's content as text; `bytes` is the length that it should have, -1 when it could not be read. */
export function namedText(name: string, content: Uint8Array, bytes = content.length): NamedText {
  // Names are shown, and a host's files may be called anything.
  const shown = /^[\w./-]+$/.test(name) ? name : JSON.stringify(name)
  const bad = (problem: string) => ({ name: shown, text: "", problem })
  if (bytes < 0) return bad("the file cannot be read")
  if (bytes !== content.length) return bad(`${content.length} of ${bytes} bytes could be read`)
  try {
    return { name: shown, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content) }
  } catch {
    // What is thrown says no more than this.
    return bad("damaged: it is no UTF-8 text")
  }
}

interface Owner {
  readonly project: string
  readonly environment: string
}

const ownerSchema = manifestSchema.pick({ project: true, environment: true }).strip()

/** Whether what cannot be read, as a newer tool's, says all the same that it is of another project or environment. */
function isAnothers(text: string, { project, environment }: Owner): boolean {
  try {
    const { data } = ownerSchema.safeParse(JSON.parse(text))
    return data !== undefined && (data.project !== project || data.environment !== environment)
  } catch {
    return false // Damaged: nobody knows whose it is.
  }
}

/**
 * Sorts manifests' texts into this environment's backups, newest first, and those that cannot be read, named with why,
 * unless they are surely another's. A copy under another name is none of ours: two of one id, of which one is removed,
 * would cost the files of both.
 */
export function sortManifests(
  texts: readonly NamedText[],
  { project, environment }: Owner,
): { readonly manifests: readonly Manifest[]; readonly unreadable: readonly string[] } {
  const manifests: Manifest[] = []
  const unreadable: string[] = []
  for (const { name, text, problem } of texts) {
    const read = problem === undefined ? readManifest(text) : { problem }
    if ("problem" in read) {
      if (!isAnothers(text, { project, environment })) unreadable.push(`${name}: ${read.problem}`)
    } else if (read.manifest.project === project && read.manifest.environment === environment) {
      const { id } = read.manifest
      if (name.split("/").at(-1) === `${id}.json`) manifests.push(read.manifest)
      else unreadable.push(`${name}: it is of ${id}, which is not its name`)
    }
  }
  manifests.sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1))
  return { manifests, unreadable }
}

/** What manifests name, whoever's they are. Throws when one of them cannot be read: nobody knows what it names. */
export function namedBy(texts: readonly NamedText[], prefix = ""): Named {
  const [ids, paths, keys] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const { name, text, problem } of texts) {
    const read = problem === undefined ? readManifest(text) : { problem }
    if ("problem" in read) throw failure("manifest-unreadable", `${name} cannot be read: ${read.problem}`)
    const { manifest } = read
    ids.add(manifest.id)
    for (const file of artifactFiles(manifest)) paths.add(file)
    for (const { key } of manifest.storage.objects) {
      keys.add(key)
      paths.add(key.startsWith(prefix) ? key.slice(prefix.length) : key)
    }
  }
  return { ids, paths, keys }
}
