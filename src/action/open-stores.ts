import type { z } from "zod"
import type { Config } from "../core/config.ts"
import { inputError } from "../core/errors.ts"
import { layout } from "../core/layout.ts"
import type { Host } from "../host/host.ts"
import type { Secret } from "../shell/secret.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { localStore } from "../storage/local-store.ts"
import { sessionEndOf } from "../storage/s3-session.ts"
import { s3Store } from "../storage/s3-store.ts"
import type { ActionContext } from "./outcome.ts"
import type { storeInputs } from "./shared-inputs.ts"
import type { BackupKeyInput } from "./tool-inputs.ts"

export type StoreInputs = z.output<z.ZodObject<typeof storeInputs>>

export interface OpenStoresOptions {
  readonly config: Config
  readonly inputs: Partial<StoreInputs> & BackupKeyInput
  readonly context: Pick<ActionContext, "log" | "env">
  /** The directory of backups on the host; the configured one unless told. */
  readonly directory?: string
  /** Hears of progress that no host sees. */
  readonly progress?: (() => void) | undefined
}

/** The local store, and S3 where the configuration has it on. Throws an input error when S3 is on and its keys are missing. */
export function openStores(
  host: Host,
  { config, inputs, context, directory = layout(config).backups, progress }: OpenStoresOptions,
): readonly BackupStore[] {
  const place = { host, directory, project: config.project, environment: config.environment }
  const { s3 } = config.backup
  const keys = requireStoreKeys(config, inputs)
  if (!s3 || !keys) return [localStore(place)]
  const sessionToken = inputs["s3-session-token"]
  const endpoint = s3.endpoint ?? context.env.AWS_ENDPOINT_URL_S3 ?? context.env.AWS_ENDPOINT_URL
  const remote = s3Store({
    ...place,
    notes: `${layout(config).state}/uploads`,
    bucket: s3.bucket,
    prefix: s3.prefix,
    region: s3.region,
    credentials: {
      ...keys,
      ...(sessionToken ? { sessionToken } : {}),
      sessionEnd: sessionEndFor(keys.accessKeyId, context),
    },
    ...(endpoint ? { endpoint } : {}),
    storage: {
      serverSide: s3["server-side-encryption"],
      kmsKey: s3["kms-key-id"],
      storageClass: s3["storage-class"],
    },
    ...(s3["force-path-style"] === undefined ? {} : { forcePathStyle: s3["force-path-style"] }),
    ...(s3["immutable-days"] === undefined
      ? {}
      : { immutable: { days: s3["immutable-days"], mode: s3["immutable-mode"] } }),
    encryption: { publicKey: config.backup.encryption?.["openpgp-key"], privateKey: inputs["backup-key"] },
    readBack: s3["read-back"],
    log: context.log.info,
    progress,
  })
  return [localStore(place), remote]
}

/** The environment tells the end only of its own credentials' session. */
function sessionEndFor(accessKeyId: Secret, { env }: Pick<ActionContext, "env">): Date | undefined {
  if (accessKeyId.reveal() !== env.AWS_ACCESS_KEY_ID?.trim()) return undefined
  return sessionEndOf(env.AWS_CREDENTIAL_EXPIRATION)
}

/** The keys to the bucket; undefined when S3 is off. Throws an input error `missing-secret` when S3 is on and one was not given. */
export function requireStoreKeys({ backup }: Config, inputs: Partial<StoreInputs>) {
  if (!backup.s3?.enabled) return undefined
  const [accessKeyId, secretAccessKey] = [inputs["s3-access-key-id"], inputs["s3-secret-access-key"]]
  if (!accessKeyId) throw missingKey("s3-access-key-id")
  if (!secretAccessKey) throw missingKey("s3-secret-access-key")
  return { accessKeyId, secretAccessKey }
}

function missingKey(name: string): Error {
  return inputError("missing-secret", `${name} is missing, and backup.s3 is on`, {
    hint: `Pass ${name} from a secret, or set backup.s3.enabled to false.`,
  })
}
