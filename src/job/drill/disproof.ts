import { AppError } from "../../core/errors.ts"
import { CommandError } from "../../host/host.ts"

/** What an error is called that says: these bytes, counts or data are not those that were backed up. */
const codes: ReadonlySet<string> = new Set([
  "backup-corrupt",
  "backup-damaged",
  "backup-incomplete",
  "manifest-incomplete",
  "postgres-contradiction",
  // In a server of our own, whose superuser restores, only the dump itself takes a right away.
  "postgres-permission",
  "postgres-restore-failed",
  "postgres-role-failed",
  "postgres-roles-failed",
  "postgres-wrong-dump",
  "restore-differs",
  "s3-object",
])

/** The failure of a restore that has put back what was there: the reason is its cause. */
const wrapped = "restore-failed"

/**
 * Whether an error, or what caused it, speaks against the copy that was drilled. Anything else (a key, an image, Docker, the
 * connection, want of room) only kept it from being tried, which says nothing about it (S11).
 */
export function disproves(error: unknown): boolean {
  if (!(error instanceof AppError)) return false
  // What a file that came down from S3 is found to be, by the scripts that give it its name.
  if (error instanceof CommandError) return /with other bytes than its manifest says$/m.test(error.result.stderr)
  return codes.has(error.code) || (error.code === wrapped && disproves(error.cause))
}
