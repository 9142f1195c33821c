import { z } from "zod"

const imageSchema = z.strictObject({
  service: z.string().min(1),
  /** As it was asked for: `registry/app:1.4`. */
  reference: z.string().min(1),
  /** `repository@sha256:...`; absent for an image that never was in a registry. */
  digest: z
    .string()
    .regex(/^\S+@sha256:[0-9a-f]{64}$/)
    .optional(),
  /** What ran when the release was recorded: `sha256:...`. */
  imageId: z.string().regex(/^sha256:[0-9a-f]{64}$/),
})
export type ReleaseImage = z.output<typeof imageSchema>

export const releaseKinds = ["deploy", "rollback", "recreate"] as const
export type ReleaseKind = (typeof releaseKinds)[number]

/** A release's name: also part of an image tag, `release-<id>`. */
export const releaseIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, "use letters, digits, `_`, `.` and `-`, 100 at most")

export const releaseSchema = z.strictObject({
  format: z.literal(1),
  id: releaseIdSchema,
  kind: z.enum(releaseKinds),
  time: z.iso.datetime(),
  /** Empty when the release was made outside of a repository: then it is not known what is deployed. */
  commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})?$/),
  images: z.array(imageSchema),
  run: z.strictObject({ id: z.string(), url: z.string(), actor: z.string() }),
  status: z.enum(["good", "bad"]),
  /** Backup made right before; retention keeps it as long as one can go back over this release. */
  backup: z.string().optional(),
  /** One line: why it is bad, or what it was. */
  note: z.string().optional(),
})
/** One line of the release history on the host. A later line with the same id replaces the earlier one. */
export type Release = z.output<typeof releaseSchema>

export interface ReleaseHistory {
  /** Oldest first; per id its last line, in the place of its first. */
  readonly releases: readonly Release[]
  /** Numbers of lines that could not be read, the torn last one left out. */
  readonly unreadable: readonly number[]
  /** Whether the last line was cut off while it was written; it counts as never written. */
  readonly torn: boolean
}

/** `20260131-020000-1a2b3c4`: sorts by time and names the commit. */
export function releaseId(time: Date, commit: string): string {
  const stamp = time.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")
  return commit === "" ? stamp : `${stamp}-${commit.slice(0, 7)}`
}

/** The text to append to the history. It begins with a newline, so that a torn line before it does not swallow it. */
export function formatRelease(release: Release): string {
  return `\n${JSON.stringify(releaseSchema.parse(release))}\n`
}

/** Reads the history. Never throws: what cannot be read is told. An empty text is an empty history. */
export function parseReleases(text: string): ReleaseHistory {
  const releases = new Map<string, Release>()
  const bad: number[] = []
  const lines = text.split("\n")
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue
    const release = parseLine(line)
    if (release) releases.set(release.id, release)
    else bad.push(index + 1)
  }
  const torn = bad.at(-1) === lines.length
  return { releases: [...releases.values()], unreadable: torn ? bad.slice(0, -1) : bad, torn }
}

/** The release that the app runs now: the newest good deploy or rollback. */
export function currentRelease(history: ReleaseHistory): Release | undefined {
  return history.releases.findLast(isGoodApp)
}

/**
 * Where a rollback goes: the newest good release before the current one with other images. Known-bad releases are
 * skipped. Undefined: there is nothing to go back to, and a rollback must refuse.
 */
export function previousRelease(history: ReleaseHistory): Release | undefined {
  const current = currentRelease(history)
  if (!current) return undefined
  const before = history.releases.slice(0, history.releases.indexOf(current))
  return before.findLast((release) => isGoodApp(release) && imageKey(release) !== imageKey(current))
}

/** The commit whose files each part of the stack runs; undefined when that is not known, which means: all of it changed. */
export interface DeployedCommits {
  readonly infra: string | undefined
  /** Of the application and its migrations. */
  readonly app: string | undefined
}

/** Deployed commit per component: that of its last good release, not of the last run. */
export function deployedCommits(history: ReleaseHistory): DeployedCommits {
  const infra = history.releases.findLast(({ kind, status }) => kind === "recreate" && status === "good")
  return { infra: infra?.commit || undefined, app: currentRelease(history)?.commit || undefined }
}

/** Backups that the current and the previous release point to: retention leaves them alone (S8). */
export function backupsInUse(history: ReleaseHistory): ReadonlySet<string> {
  const used = [currentRelease(history), previousRelease(history)].flatMap((release) => release?.backup ?? [])
  return new Set(used)
}

function parseLine(line: string): Release | undefined {
  try {
    return releaseSchema.safeParse(JSON.parse(line)).data
  } catch {
    // Not even JSON: told by the caller as an unreadable line.
    return undefined
  }
}

function isGoodApp({ kind, status }: Release): boolean {
  return status === "good" && kind !== "recreate"
}

function imageKey({ images }: Release): string {
  return images
    .map(({ service, imageId }) => `${service}=${imageId}`)
    .sort()
    .join(" ")
}
