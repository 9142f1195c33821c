import { z } from "zod"
import { backupStamp, fileNamePart } from "./backup-id.ts"
import { messageOf } from "./errors.ts"

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
  /** Whose Docker ran the throw-away servers. */
  where: z.enum(["host", "runner"]).default("host"),
  started: z.iso.datetime(),
  run: z.strictObject({ id: z.string(), url: z.string(), actor: z.string() }),
  result: z.enum(["success", "failed"]),
  /** The tier of proof that the copy has by this: the strongest there is. Absent when it failed. */
  proven: z.literal("restored").optional(),
  /** Why it failed; empty when it did not. */
  reason: z.string(),
  /** What it speaks against when it failed: only the bytes of this copy, or the backup, whichever copy of it. */
  disproves: z.enum(["copy", "backup"]).optional(),
  /** From the beginning, fetching included, until every service served the restored data; null when that did not happen. */
  rtoSeconds: z.number().nullable(),
  /** Age of the backup's data when the drill began: what would be lost. */
  rpoSeconds: z.number(),
  services: z.array(drilledServiceSchema),
})
export type DrillRecord = z.output<typeof drillRecordSchema>

/** Whose drills they are. */
export type DrillOwner = Pick<DrillRecord, "project" | "environment">

/** Path of a drill's record, relative to the backup directory and, in S3, to the prefix. */
export function drillFile({ id, ...owner }: DrillOwner & Pick<DrillRecord, "id">): string {
  return `metadata/${id}${drillTail(owner)}`
}

/** What comes behind the id in the name of an owner's record: those of others who share a store need not be read. */
export function drillTail({ project, environment }: DrillOwner): string {
  return `-${fileNamePart(project)}.${fileNamePart(environment)}.json`
}

/** `drill-YYYYMMDD-HHMMSS`, UTC. */
export function drillId(time: Date): string {
  return `drill-${backupStamp(time).replace(/^(\d{4})-(\d\d)-(\d\d)-/, "$1$2$3-")}`
}

/** The record's bytes as they are stored. */
export function printDrillRecord(record: DrillRecord): string {
  return `${JSON.stringify(drillRecordSchema.parse(record), undefined, 2)}\n`
}

export interface DrillList {
  /** Newest first. */
  readonly records: readonly DrillRecord[]
  /** Names of those that cannot be read, with why. */
  readonly unreadable: readonly string[]
}

/** Reads records' texts: this environment's, newest first, and those that cannot be read. */
export function readDrillRecords(
  texts: readonly { readonly name: string; readonly text: string }[],
  { project, environment }: DrillOwner,
): DrillList {
  const read = texts.map(({ name, text }) => ({ name, ...readDrillRecord(text) }))
  return {
    records: read
      .flatMap(({ record }) => (record?.project === project && record.environment === environment ? [record] : []))
      .toSorted((a, b) => Date.parse(b.started) - Date.parse(a.started)),
    unreadable: read.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`])),
  }
}

/** The newest drill of one store's copy of a backup, from records newest first; undefined when it was never tried. */
export function lastDrill<Drill extends Pick<DrillRecord, "backup" | "source">>(
  records: readonly Drill[],
  { backup, source }: Pick<DrillRecord, "backup" | "source">,
): Drill | undefined {
  return records.find((one) => one.backup === backup && one.source === source)
}

function readDrillRecord(text: string): { readonly record?: DrillRecord; readonly problem?: string } {
  try {
    const { data, error } = drillRecordSchema.safeParse(JSON.parse(text))
    if (data) return { record: data }
    return { problem: `${error?.issues[0]?.path.join(".")}: ${error?.issues[0]?.message}` }
  } catch (error) {
    return { problem: messageOf(error) }
  }
}
