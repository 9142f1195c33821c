import type { Artifact, Manifest } from "../core/manifest.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import type { Encryption } from "./openpgp-session-key.ts"
import type { Bucket, S3ClientOptions } from "./s3-client.ts"
import type { Immutability } from "./s3-lock.ts"
import type { OpenUpload } from "./s3-multipart.ts"
import type { StorageOptions } from "./s3-storage-options.ts"
import type { UploadedObject } from "./s3-upload.ts"

/** Tries of one part, and seconds without progress that cut a try. */
export interface Patience {
  readonly tries: number
  readonly stall: number
}

export interface S3StoreOptions extends S3ClientOptions {
  /** Put before every key, as it stands. */
  readonly prefix: string
  readonly host: Host
  /** The directory of backups on the host: where artifacts come from and go to. */
  readonly directory: string
  /** Folder on the host where uploads are noted before anything is sent to them. */
  readonly notes: string
  readonly project: string
  readonly environment: string
  /** Who moves the bytes: `auto` takes the host when it has curl and reaches S3. */
  readonly transfer?: "host" | "runner" | "auto"
  /** Locks what is stored; the bucket must have object lock. */
  readonly immutable?: Immutability | undefined
  readonly encryption?: Encryption
  readonly storage?: StorageOptions | undefined
  /** Reads each object to its end after it was stored. */
  readonly readBack?: boolean
  readonly patience?: Patience
  readonly log?: (line: string) => void
  /** Hears that bytes come which are asked of S3 alone: the host, which is watched, then sees nothing of them. */
  readonly progress?: (() => void) | undefined
}

/** An upload that began while its file was being written. */
export interface BegunUpload {
  /** Part of its steps' names. */
  readonly number: number
  readonly upload: OpenUpload
  /** MD5s, hexadecimal, of the parts that S3 has taken, by number. */
  readonly md5s: Map<number, string>
  /** What went up, once that was the whole file, in one go. */
  whole?: { readonly bytes: number; readonly sha256: string }
  /** The encrypted copy that is going up, once it is whole: what it holds, and the SHA-256 of the file that it was made from. */
  encrypted?: { readonly bytes: number; readonly sha256: string; readonly of: string }
  /** What it has become already. */
  done?: UploadedObject
}

/** What the parts of the S3 store share. */
export interface S3Context {
  readonly bucket: Bucket
  readonly options: S3StoreOptions
  readonly patience: Patience
  readonly log: (line: string) => void
  /** Asked once. */
  readonly transfer: () => Promise<"host" | "runner">
  /** Objects written by this run, by backup: only these may be taken back. */
  readonly written: Map<string, Manifest["storage"]["objects"]>
  /** Uploads that began while their file was being written, by the file. */
  readonly begun: Map<string, BegunUpload>
  /** Ids of the backups that this run has published. */
  readonly published: Set<string>
}

/** An object that is to be read, and the file that it holds. */
export interface FetchOptions {
  readonly artifact: Artifact
  readonly object: Manifest["storage"]["objects"][number]
  readonly work: Work
  readonly step: string
}
