import { z } from "zod"
import { duration } from "./duration.ts"
import { s3Schema } from "./s3-config.ts"

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]*$/, "use lower-case letters, digits, - and _, beginning with a letter or digit")
const path = z.string().startsWith("/", "use an absolute path on the host")
const patterns = z.array(z.string().min(1))

export const serviceKinds = [
  "postgres",
  "dragonfly",
  "redis",
  "valkey",
  "openvidu",
  "coturn",
  "http",
  "container",
] as const
export type ServiceKind = (typeof serviceKinds)[number]

/** Kinds whose data directory must survive everything. */
export const dataKinds: readonly ServiceKind[] = ["postgres", "dragonfly", "redis", "valkey"]

const hostSchema = z.strictObject({
  address: z.string().min(1).describe("Name or address of the host; `local` runs on this machine without SSH."),
  user: z.string().default("root").describe("User to log in as; needs the right to use Docker."),
  port: z.int().min(1).max(65_535).default(22),
  jump: z
    .strictObject({ address: z.string(), user: z.string().default("root"), port: z.int().default(22) })
    .optional()
    .describe("Host to go through."),
  directory: path.optional().describe("Base directory on the host; `/opt/<project>` unless told."),
})

const composeSchema = z.strictObject({
  files: z
    .array(z.string())
    .min(1)
    .default(["docker-compose.prod.yml"])
    .describe("Compose files on the host, relative to the base directory."),
  "env-file": z
    .string()
    .default(".env.production")
    .describe("Environment file on the host, relative to the base directory."),
  upload: z
    .array(z.string().regex(/^(?!\/|.*\.\.)/, "use a path below the folder of infra.yml, without `..`"))
    .default([])
    .describe(
      "Files of the checkout, relative to infra.yml, that recreate puts at the same path below the base directory: the compose files, a proxy's configuration.",
    ),
  profiles: z
    .strictObject({ infrastructure: z.string().default("infrastructure"), app: z.string().default("app") })
    .prefault({}),
})

const pathsSchema = z.strictObject({
  infra: patterns.default(["docker-compose*.yml", "docker/", "devops/docker/", "infra.yml"]),
  app: patterns.default(["src/", "package.json", "package-lock.json", "yarn.lock", "tsconfig.json", "Dockerfile"]),
  migrations: patterns.default(["prisma/migrations/", "migrations/"]),
})

const serviceSchema = z.strictObject({
  kind: z.enum(serviceKinds).optional().describe("Found from the image when absent."),
  databases: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Postgres databases to back up; every database that is not a template unless told."),
  "critical-tables": z.array(z.string()).default([]).describe("Tables, `schema.table`, that must exist and hold rows."),
  "sample-queries": z.array(z.string()).default([]).describe("Queries that must succeed and give at least one row."),
  url: z.url().optional().describe("Health URL of an http or openvidu service, seen from the host."),
  port: z.int().optional().describe("Port of a coturn service."),
  timeout: duration.default(10_000).describe("Limit of one probe."),
})

const appSchema = z.strictObject({
  services: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Services deployed as one unit; those of the app profile unless told."),
  "health-url": z.url().optional().describe("Checked from the host after a deploy."),
  proxy: z
    .strictObject({
      service: z.string().default("nginx"),
      "upstream-file": z
        .string()
        .default("nginx/upstream/app.conf")
        .describe("Relative to the base directory; its folder is mounted into the proxy."),
      upstream: z.string().default("app").describe("Name of the nginx upstream."),
    })
    .optional()
    .describe("nginx in front of the first app service; without it copies are replaced one by one."),
  port: z.int().default(3000).describe("Port on which the proxied service listens."),
  "proxied-service": z.string().optional().describe("Service behind the proxy; the first app service unless told."),
  drain: duration.default(35_000).describe("Longest wait for the old copy's connections to end."),
  "health-timeout": duration.default(120_000),
})

const retentionSchema = z.strictObject({
  last: z.int().min(0).default(0),
  daily: z.int().min(0).default(7),
  weekly: z.int().min(0).default(4),
  monthly: z.int().min(0).default(12),
})

/** How a Postgres backup is stored. */
export const postgresFormats = ["custom", "directory", "plain"] as const
export type PostgresFormat = (typeof postgresFormats)[number]

const backupSchema = z.strictObject({
  directory: path.optional().describe("`<base directory>/backups` unless told."),
  retention: retentionSchema.prefault({}),
  "prune-first": z.boolean().default(false).describe("Remove before a backup what it pushes out on the host."),
  s3: s3Schema.optional(),
  encryption: z
    .strictObject({
      "openpgp-key": z
        .string()
        .includes("-----BEGIN PGP PUBLIC KEY BLOCK-----", { message: "use an armored public OpenPGP key" })
        .describe(
          "Armored public key for which every copy in S3 is encrypted; the private one is input `backup-key` of restore, drill and pipeline.",
        ),
    })
    .optional(),
  verify: z
    .enum(["counts", "checksum"])
    .default("counts")
    .describe(
      "What a Postgres backup records and a restore compares: exact row counts, or a checksum of every row as well, which costs about a third more time.",
    ),
  postgres: z
    .strictObject({
      format: z
        .enum(postgresFormats)
        .default("custom")
        .describe(
          "`custom`: one archive of pg_dump, the quickest; `directory`: tables dumped side by side, for hosts with many cores, in one tar file; `plain`: gzipped SQL, `postgres-YYYY-MM-DD-HHMMSS.sql.gz`.",
        ),
    })
    .prefault({}),
  "before-migrate": z
    .boolean()
    .default(true)
    .describe(
      "Whether the action `pipeline` backs up before it deploys an app with new migrations; the workflow pipeline.yml goes by its own input `backup-before-migrate`.",
    ),
  "max-row-loss": z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      "Share of its rows by which a database, or one of its critical tables, may shrink against its last proven backup. Below 1, a key store must not have lost all of its keys without expiry either.",
    ),
})

const lockSchema = z.strictObject({
  stale: duration
    .refine((milliseconds) => milliseconds >= 5000, "at least 5s, for a holder renews it only now and then")
    .default(600_000)
    .describe("Without renewal for so long a lock is stale."),
  wait: duration.default(0).describe("How long to wait for another holder."),
})

const thresholdsSchema = z.strictObject({
  "disk-free": z.number().min(0).max(1).default(0.2).describe("Share of free space below which a disk is reported."),
  restarts: z.int().min(0).default(3),
  "response-time": duration.default(100).describe("Of the health URL, in verify's performance section."),
  connections: z.number().min(0).max(1).default(0.9),
  memory: z.number().min(0).max(1).default(0.9),
})

const overridable = {
  host: hostSchema,
  compose: composeSchema.prefault({}),
  paths: pathsSchema.prefault({}),
  services: z.record(z.string(), serviceSchema).default({}),
  app: appSchema.prefault({}),
  backup: backupSchema.prefault({}),
  lock: lockSchema.prefault({}),
  restore: z
    .strictObject({
      policy: z
        .enum(["needed", "always"])
        .default("needed")
        .describe(
          "When a backup is restored after infrastructure was recreated: only if the data is not the same (`needed`), or each time that a backup was made (`always`).",
        ),
    })
    .prefault({}),
  thresholds: thresholdsSchema.prefault({}),
}

/** The sections that an environment may override. */
export const overridableSections = Object.keys(overridable)

/** `infra.yml`: everything but `project` and `host.address` has a default that works. Durations are milliseconds once read. */
export const configSchema = z.strictObject({
  project: name.describe("Compose project name; also names the base directory."),
  ...overridable,
  environments: z
    .record(name, z.record(z.string(), z.unknown()))
    .default({})
    .describe("Per environment, any of the sections above: merged over them."),
})

export type FileConfig = z.output<typeof configSchema>
export type ServiceConfig = z.output<typeof serviceSchema>
export type RetentionPolicy = z.output<typeof retentionSchema>

/** The configuration of one environment, overrides merged; `layout` gives the directories. */
export interface Config extends Omit<FileConfig, "environments"> {
  readonly environment: string
}
