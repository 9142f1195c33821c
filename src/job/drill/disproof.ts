import type { DrillRecord } from "../../core/drill-record.ts"
import { AppError } from "../../core/errors.ts"
import { CommandError } from "../../host/host.ts"

/** What an error is called that says: these bytes are not those that were stored. Another copy may be whole. */
const ofCopy: ReadonlySet<string> = new Set(["backup-corrupt", "backup-damaged", "s3-object"])

/** The same for counts or data that are not those that were backed up: no copy of these bytes is any better. */
const ofBackup: ReadonlySet<string> = new Set([
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
])

/** The failure of a restore that has put back what was there: the reason is its cause. */
const wrapped = "restore-failed"

/**
 * What an error, or what caused it, speaks against. Undefined for anything else (a key, an image, Docker, the connection,
 * want of room): it only kept the copy from being tried, which says nothing about it (S11).
 */
export function disproves(error: unknown): DrillRecord["disproves"] {
  if (!(error instanceof AppError)) return undefined
  // What a file that came down from S3 is found to be, by the scripts that give it its name.
  if (error instanceof CommandError)
    return /with other bytes than its manifest says$/m.test(error.result.stderr) ? "copy" : undefined
  if (ofCopy.has(error.code)) return "copy"
  if (ofBackup.has(error.code)) return "backup"
  return error.code === wrapped ? disproves(error.cause) : undefined
}
