import { z } from "zod"

/** `backup.s3`: the bucket of backups. */
export const s3Schema = z
  .strictObject({
    enabled: z.boolean().default(true),
    required: z.boolean().default(true).describe("Whether a failed upload fails the backup."),
    endpoint: z
      .url()
      .refine((url) => !/^[a-z]+:\/\/[^/]*@/i.test(url), "a URL without user name and password, which are inputs")
      .optional()
      .describe("Of an S3-compatible store; AWS unless told."),
    region: z.string().default("us-east-1"),
    bucket: z.string().min(3),
    prefix: z.string().default("backups/"),
    "force-path-style": z.boolean().optional().describe("On unless told when an endpoint is given."),
    "server-side-encryption": z
      .enum(["s3", "kms"])
      .optional()
      .describe(
        "Have the store encrypt what it keeps, with its own keys (`s3`) or one of its key service (`kms`). Every object is looked at: one that is not encrypted so fails the backup.",
      ),
    "kms-key-id": z.string().min(1).optional().describe("Key of the key service; the store's default one unless told."),
    "storage-class": z
      .string()
      .regex(/^[A-Z0-9_-]+$/, "use the store's own name, such as STANDARD_IA")
      .optional()
      .describe("Class in which backups are kept, as the store names it; it must give objects back at once."),
    "read-back": z
      .boolean()
      .default(false)
      .describe("Read every object to its end after it was stored: the strongest proof, at the cost of its traffic."),
    "immutable-days": z
      .int()
      .min(1)
      .max(3650)
      .optional()
      .describe("Days for which nobody can delete or change a backup in S3; the bucket must have object lock."),
    "immutable-mode": z
      .enum(["governance", "compliance"])
      .default("governance")
      .describe("`compliance`: not even the bucket's owner can shorten the lock."),
  })
  .refine((s3) => s3["kms-key-id"] === undefined || s3["server-side-encryption"] === "kms", {
    path: ["kms-key-id"],
    message: "needs server-side-encryption: kms",
  })
