import {
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  type ObjectLockMode,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3"
import { failure, inputError, refusal } from "../core/errors.ts"
import type { Bucket } from "./s3-client.ts"
import { isMissing } from "./s3-error.ts"

/** For how long, and how firmly, nobody may delete or change what is stored. */
export interface Immutability {
  readonly days: number
  readonly mode: "governance" | "compliance"
}

/** A lock with its end, in whole seconds as S3 keeps it. */
export interface ObjectLock {
  readonly mode: ObjectLockMode
  readonly until: Date
}

/** One object, of one version when that is known. */
export interface ObjectVersion {
  readonly key: string
  readonly versionId?: string | undefined
}

const day = 86_400_000

/** The lock that a backup stored now gets. */
export function lockFrom(now: number, { days, mode }: Immutability): ObjectLock {
  return {
    mode: mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE",
    until: new Date(Math.ceil((now + days * day) / 1000) * 1000),
  }
}

/** What a request that makes an object carries; some stores drop it silently, so that `lockObject` always follows. */
export function lockHeaders(lock: ObjectLock | undefined) {
  return lock ? { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: lock.until } : {}
}

/** Throws an input error when the bucket has no object lock: it can only be had from the bucket's making on. */
export async function requireLockable(bucket: Bucket): Promise<void> {
  const enabled = await bucket.call("looking for the bucket's object lock", async (client) => {
    try {
      const found = await client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket.name }))
      return found.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled"
    } catch (error) {
      if (/ObjectLockConfigurationNotFound|InvalidRequest|NotImplemented/.test((error as Error).name)) return false
      throw error
    }
  })
  if (enabled) return
  throw inputError("s3-lock", `backup.s3.immutable-days is set, and the bucket ${bucket.name} has no object lock`, {
    hint: "Make a bucket with object lock on, on a store that has it, or leave immutable-days out.",
  })
}

/** Locks one version and believes only what S3 then says of it. Throws `s3-not-locked` when the lock is not there. */
export async function lockObject(bucket: Bucket, { key, versionId }: ObjectVersion, lock: ObjectLock): Promise<void> {
  const version = versionId === undefined ? {} : { VersionId: versionId }
  await bucket.call(`locking ${key}`, (client) =>
    client.send(
      new PutObjectRetentionCommand({
        Bucket: bucket.name,
        Key: key,
        ...version,
        Retention: { Mode: lock.mode, RetainUntilDate: lock.until },
      }),
    ),
  )
  const { mode, until } = await lockOf(bucket, { key, versionId })
  if (mode === lock.mode && until !== undefined && until >= lock.until) return
  throw failure(
    "s3-not-locked",
    `${key} is not locked until ${lock.until.toISOString()}: S3 shows ${until ? `${mode} until ${until.toISOString()}` : "no lock"}`,
    { hint: "Check that the S3 key may do PutObjectRetention and GetObjectRetention." },
  )
}

/** Throws a refusal `s3-locked` when any of these may not be deleted yet: nothing of a backup goes unless all of it can. */
export async function assertUnlocked(
  bucket: Bucket,
  objects: readonly ObjectVersion[],
  { id, now }: { readonly id: string; readonly now: number },
): Promise<void> {
  for (const one of objects) {
    const why = await whyLocked(bucket, one, now)
    if (why !== undefined) throw refusal("s3-locked", `${id} stays in S3: ${one.key} is ${why}`)
  }
}

/** Why this may not be deleted yet, `locked until ...`; undefined when it may. */
export async function whyLocked(bucket: Bucket, one: ObjectVersion, now: number): Promise<string | undefined> {
  const { until, held } = await lockOf(bucket, one)
  if (held) return "under a legal hold"
  return until !== undefined && until.getTime() > now ? `locked until ${until.toISOString()}` : undefined
}

interface FoundLock {
  readonly mode: ObjectLockMode | undefined
  readonly until: Date | undefined
  readonly held: boolean
}

async function lockOf(bucket: Bucket, { key, versionId }: ObjectVersion): Promise<FoundLock> {
  return await bucket.call(`looking at the lock of ${key}`, async (client) => {
    const version = versionId === undefined ? {} : { VersionId: versionId }
    try {
      const found = await client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: key, ...version }))
      return {
        mode: found.ObjectLockMode,
        until: found.ObjectLockRetainUntilDate,
        held: found.ObjectLockLegalHoldStatus === "ON",
      }
    } catch (error) {
      if (isMissing(error)) return { mode: undefined, until: undefined, held: false }
      throw error
    }
  })
}
