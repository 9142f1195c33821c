import type { StorageClass } from "@aws-sdk/client-s3"

/** How the store keeps what it is given; its own defaults where nothing is said. */
export interface StorageOptions {
  /** Encryption by the store itself: with its keys, or with one of its key service. */
  readonly serverSide?: "s3" | "kms" | undefined
  /** Which key of the key service; its default one when absent. */
  readonly kmsKey?: string | undefined
  /** As the store names it: `STANDARD_IA`. */
  readonly storageClass?: string | undefined
}

/** What a request that makes an object carries. */
export function storageHeaders({ serverSide, kmsKey, storageClass }: StorageOptions = {}) {
  return {
    ...(serverSide && { ServerSideEncryption: serverSide === "kms" ? ("aws:kms" as const) : ("AES256" as const) }),
    ...(serverSide === "kms" && kmsKey !== undefined && { SSEKMSKeyId: kmsKey }),
    ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
  }
}

/** What a store says of an object that it holds. */
export interface KeptAs {
  readonly serverSide: string | undefined
  readonly kmsKey: string | undefined
  readonly storageClass: string | undefined
}

/** How an object is kept otherwise than was asked, one sentence; undefined when it is not. A store that says nothing has not done it. */
export function keptOtherwise(asked: StorageOptions | undefined, found: KeptAs): string | undefined {
  const { ServerSideEncryption: wanted, SSEKMSKeyId: key, StorageClass: kind } = storageHeaders(asked)
  if (wanted !== undefined && found.serverSide !== wanted)
    return `is not encrypted by the store as asked: ${found.serverSide ?? "nothing"} instead of ${wanted}`
  // A key may be given by its name and told by its address.
  if (key !== undefined && found.kmsKey !== undefined && !found.kmsKey.endsWith(key.split("/").at(-1) ?? key))
    return `is encrypted with the key ${found.kmsKey} instead of ${key}`
  // The default class is told by silence.
  if (kind !== undefined && (found.storageClass ?? "STANDARD") !== kind)
    return `is in the storage class ${found.storageClass ?? "STANDARD"} instead of ${kind}`
  return undefined
}
