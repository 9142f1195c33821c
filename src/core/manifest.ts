import { z } from "zod"

/** A file of a backup, as it was when it was written. */
export const artifactSchema = z.strictObject({
  /** Path relative to the backup directory and, with the prefix before it, the key in S3. */
  file: z.string().min(1),
  /** What it holds: one database, how that database is made where its file does not say it, the cluster's globals, or a snapshot of keys. */
  role: z.enum(["database", "properties", "globals", "keys"]),
  /** The database's name, also for its properties; the file's own name for the others. */
  name: z.string(),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type Artifact = z.output<typeof artifactSchema>

/** Sum of a hash of every row, so that no order counts; a decimal number too large for JSON's. */
const checksumSchema = z.string().regex(/^-?\d+$/)
const tableSchema = z.strictObject({
  schema: z.string(),
  name: z.string(),
  rows: z.int().min(0),
  /** `SCHEMA.TABLE` that it is a partition of, where a restore may spread the rows over the partitions in another way. */
  spread: z.string().optional(),
  /** Of its rows' text, when `backup.verify` is `checksum`. */
  checksum: checksumSchema.optional(),
})
const databaseSchema = z.strictObject({
  name: z.string(),
  /** Bytes on disk when the dump was taken. */
  size: z.int().min(0),
  tables: z.array(tableSchema),
  largeObjects: z.int().min(0),
  largeObjectsChecksum: checksumSchema.optional(),
  /** What a server needs to take it; absent in backups that did not record it. */
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string() })).optional(),
})
export type TableCount = z.output<typeof tableSchema>
export type DatabaseContents = z.output<typeof databaseSchema>

const postgresSchema = z.strictObject({
  kind: z.literal("postgres"),
  /** `server_version_num` and the image's reference. */
  version: z.int(),
  systemIdentifier: z.string(),
  dataChecksums: z.boolean(),
  databases: z.array(databaseSchema),
})
export type PostgresContents = z.output<typeof postgresSchema>

const keyspaceSchema = z.array(z.strictObject({ database: z.int(), keys: z.int(), expires: z.int() }))
const keysSchema = z.strictObject({
  kind: z.enum(["dragonfly", "redis", "valkey"]),
  product: z.string(),
  version: z.string(),
  /** Keys and keys with an expiry, per logical database: those of the snapshot unless `earlier` is there. */
  keyspace: keyspaceSchema,
  /** Keys in the files by the server's own count while it wrote; only of Dragonfly, whose files cannot be counted. */
  written: z.int().min(0).optional(),
  /** The counts before the snapshot, when `keyspace` are those after it and the ones at its moment are not known. */
  earlier: keyspaceSchema.optional(),
})
export type KeysContents = z.output<typeof keysSchema>

export const serviceBackupSchema = z.strictObject({
  service: z.string(),
  image: z.string(),
  artifacts: z.array(artifactSchema).min(1),
  contents: z.discriminatedUnion("kind", [postgresSchema, keysSchema]),
})
/** What one service's driver gives back after a backup, and gets to restore. */
export type ServiceBackup = z.output<typeof serviceBackupSchema>

/** How it is known that S3 holds the bytes: strongest first. */
export const proofTiers = ["read-back", "etag", "parts-only"] as const
export type ProofTier = (typeof proofTiers)[number]

export const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** `backup-YYYYMMDD-HHMMSS`, UTC. */
  id: z.string().regex(/^backup-\d{8}-\d{6}$/),
  project: z.string(),
  environment: z.string(),
  /** ISO 8601, UTC: when the first snapshot was taken. Retention goes by this, never by a file's time. */
  created: z.iso.datetime(),
  run: z.strictObject({ id: z.string(), url: z.string(), actor: z.string() }),
  encrypted: z.literal(false),
  services: z.array(serviceBackupSchema).min(1),
  storage: z.strictObject({
    local: z.enum(["success"]),
    s3: z.enum(["success", "failed", "off"]),
    /** Absent when S3 does not hold the files. */
    tier: z.enum(proofTiers).optional(),
    /** Until when S3 lets nobody delete or change the objects; absent without a lock. */
    lockedUntil: z.iso.datetime().optional(),
    /** S3 objects by artifact file, with what is needed to check them again. */
    objects: z
      .array(
        z.strictObject({
          file: z.string(),
          key: z.string(),
          etag: z.string(),
          partBytes: z.int(),
          versionId: z.string().optional(),
          /** What the object holds when it is the file encrypted with OpenPGP. The file on the host is not. */
          encrypted: z
            .strictObject({ bytes: z.int().positive(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
            .optional(),
        }),
      )
      .default([]),
  }),
})
/** A backup exists when, and only when, its manifest does: written last, by rename. */
export type Manifest = z.output<typeof manifestSchema>
