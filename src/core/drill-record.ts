import { z } from "zod"
import { backupStamp } from "./backup-id.ts"

const checkSchema = z.strictObject({
  name: z.string(),
  state: z.enum(["ok", "warning", "failed", "unknown"]),
  detail: z.string(),
})

export const drilledServiceSchema = z.strictObject({
  service: z.string(),
  /** Id of the image that the backup was restored into; its reference when the service has no container. */
  image: z.string(),
  /** From the start of its container until the restored data was counted, equal and served. */
  seconds: z.number(),
  tables: z.int(),
  rows: z.int(),
  keys: z.int(),
  checks: z.array(checkSchema),
})
export type DrilledService = z.output<typeof drilledServiceSchema>

/** The outcome of one drill of one backup. It lies beside the manifests, for a manifest never changes and has many drills. */
export const drillRecordSchema = z.strictObject({
  format: z.literal(1),
  /** `drill-YYYYMMDD-HHMMSS`, UTC: when it began. */
  id: z.string().regex(/^drill-\d{8}-\d{6}$/),
  project: z.string(),
  environment: z.string(),
  backup: z.string(),
  /** Whose copy was restored. */
  source: z.enum(["local", "s3"]),
  started: z.iso.datetime(),
  run: z.strictObject({ id: z.string(), url: z.string(), actor: z.string() }),
  result: z.enum(["success", "failed"]),
  /** Why it failed; empty when it did not. */
  reason: z.string(),
  /** From the beginning, fetching included, until every service served the restored data; null when that did not happen. */
  rtoSeconds: z.number().nullable(),
  /** Age of the backup's data when the drill began: what would be lost. */
  rpoSeconds: z.number(),
  services: z.array(drilledServiceSchema),
})
export type DrillRecord = z.output<typeof drillRecordSchema>

/** Path of a drill's record, relative to the backup directory. */
export function drillFile(id: string): string {
  return `metadata/${id}.json`
}

/** `drill-YYYYMMDD-HHMMSS`, UTC. */
export function drillId(time: Date): string {
  return `drill-${backupStamp(time).replace(/^(\d{4})-(\d\d)-(\d\d)-/, "$1$2$3-")}`
}

/** The record's bytes as they are stored. */
export function printDrillRecord(record: DrillRecord): string {
  return `${JSON.stringify(drillRecordSchema.parse(record), undefined, 2)}\n`
}
