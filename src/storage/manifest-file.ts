import { failure, inputError, messageOf } from "../core/errors.ts"
import { type Manifest, manifestSchema } from "../core/manifest.ts"
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
  const files = manifest.services.flatMap(({ artifacts }) => artifacts.map(({ file }) => file))
  const foreign = files.find((file) => !/^[a-z]+\/[^/\n]+$/.test(file) || file.includes("/.."))
  if (foreign === undefined) return files
  throw inputError(
    "manifest-path",
    `the manifest of ${manifest.id} names a file outside of the backup directory: ${foreign}`,
  )
}

interface Owner {
  readonly project: string
  readonly environment: string
}

/** Sorts manifests' texts into this environment's backups, newest first, and those that cannot be read, named with why. */
export function sortManifests(
  texts: readonly { readonly name: string; readonly text: string }[],
  { project, environment }: Owner,
): { readonly manifests: readonly Manifest[]; readonly unreadable: readonly string[] } {
  const manifests: Manifest[] = []
  const unreadable: string[] = []
  for (const { name, text } of texts) {
    const read = readManifest(text)
    if ("problem" in read) unreadable.push(`${name}: ${read.problem}`)
    else if (read.manifest.project === project && read.manifest.environment === environment)
      manifests.push(read.manifest)
  }
  manifests.sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1))
  return { manifests, unreadable }
}

/** What manifests name, whoever's they are. Throws when one of them cannot be read: nobody knows what it names. */
export function namedBy(texts: readonly { readonly name: string; readonly text: string }[], prefix = ""): Named {
  const [ids, paths] = [new Set<string>(), new Set<string>()]
  for (const { name, text } of texts) {
    const read = readManifest(text)
    if ("problem" in read) throw failure("manifest-unreadable", `${name} cannot be read: ${read.problem}`)
    const { manifest } = read
    ids.add(manifest.id)
    for (const file of artifactFiles(manifest)) paths.add(file)
    for (const { key } of manifest.storage.objects) paths.add(key.startsWith(prefix) ? key.slice(prefix.length) : key)
  }
  return { ids, paths }
}
