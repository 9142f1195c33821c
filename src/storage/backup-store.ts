import type { DrillList, DrillRecord } from "../core/drill-record.ts"
import type { GrowingFile } from "../core/growing-file.ts"
import type { Manifest } from "../core/manifest.ts"
import type { Work } from "../host/work.ts"

export interface StoredBackup {
  readonly manifest: Manifest
  /** The store's name: `local` or `s3`. */
  readonly store: string
}

export interface PutReport {
  readonly bytes: number
  readonly tier: "read-back" | "etag" | "parts-only" | "sha256"
  readonly objects: Manifest["storage"]["objects"]
  /** ISO 8601, UTC: until when nobody can delete or change them. */
  readonly lockedUntil?: string
}

/** What manifests name. */
export interface Named {
  readonly ids: ReadonlySet<string>
  /** Of artifacts and of the objects that hold them, relative to the backup directory or the prefix. */
  readonly paths: ReadonlySet<string>
  /** Whole keys of the objects alone: a backup that S3 does not have names the same files. */
  readonly keys: ReadonlySet<string>
}

/** An upload that a run noted on the host before it sent anything. */
export interface NotedUpload {
  /** The file on the host that tells of it, perhaps among others. */
  readonly note: string
  /** The name of the object that it was to be. */
  readonly key: string
  /** The same relative to the prefix. */
  readonly path: string
  readonly id: string
  /** When it began, ISO 8601. */
  readonly at: string
}

/** Uploads that runs noted, and what becomes of those that did not come to their end. */
export interface Uploads {
  noted(): Promise<readonly NotedUpload[]>
  /**
   * Takes it back by its id, at once: whoever still sends to it then fails. Tells what there is now: `ended` an upload that
   * was not over, `object` something under its path, `nothing` neither.
   */
  end(upload: NotedUpload): Promise<"ended" | "object" | "nothing">
}

/**
 * Where backups lie. The manifest is written last: a backup without one does not exist. A list is whole or an error;
 * a file that does not match its manifest is an error, never data.
 */
export interface BackupStore {
  readonly name: "local" | "s3"
  /** Whether the store can be reached and written; throws an error naming the input and the reason when not. Changes nothing that stays. */
  probe(): Promise<void>
  /** Makes the place ready and removes what runs that were cut off left half written; does nothing when there is nothing. */
  prepare(work: Work): Promise<void>
  /**
   * Begins to bring a file into the store while it is being written, until it is whole or gone; `running` tells whether its
   * writer still is at work. Only a beginning, which never fails: `putArtifacts` does what is left, `discard` takes it back.
   */
  follow?(file: GrowingFile, work: Work, running: () => boolean): Promise<void>
  /** Brings the artifacts' bytes (on the host, in the backup directory) into the store and proves them; not the manifest. */
  putArtifacts(manifest: Pick<Manifest, "id" | "services">, work: Work): Promise<PutReport>
  /** Removes whatever was stored of a backup that is not going to be published. */
  discard(manifest: Pick<Manifest, "id" | "services">, work: Work): Promise<void>
  /** Publishes the backup. */
  putManifest(manifest: Manifest, work: Work): Promise<void>
  /** Every backup with a manifest of this project and environment, newest first; a manifest that does not parse is reported, not dropped. */
  list(): Promise<{ readonly backups: readonly StoredBackup[]; readonly unreadable: readonly string[] }>
  /**
   * Puts the artifacts, verified by SHA-256 and length, into the backup directory on the host, or into `directory` there;
   * returns when they all are right. The local store only verifies them where they lie.
   */
  fetch(manifest: Manifest, work: Work, directory?: string): Promise<void>
  /** Compares what the store holds with the manifest; the differences, one line each. */
  verify(manifest: Manifest): Promise<readonly string[]>
  /**
   * Those of these backups whose files are missing here, or have another length, as far as that is known without reading
   * them: how, one line each.
   */
  lacking(manifests: readonly Manifest[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** What the manifests here name, whoever's they are; throws when one cannot be read. */
  named(): Promise<Named>
  /** Paths here that begin with one of the stems (`postgres/postgres-2026-01-31-020000`), whoever made them. */
  below(stems: readonly string[]): Promise<readonly string[]>
  /** Absent where a file is there at once or not at all. */
  readonly uploads?: Uploads
  /** Removes files that belong to no backup: the caller has seen to that. Why those stay that a lock keeps, `locked until ...`. */
  removeStrays(files: readonly string[], work: Work): Promise<ReadonlyMap<string, string>>
  /** Removes the manifest first, then the artifacts. Throws a refusal `s3-locked`, with nothing removed, while a lock stands. */
  remove(manifest: Manifest, work: Work): Promise<void>
  /** Keeps a drill's outcome beside the manifests, in a file of its own: no manifest changes, no record is replaced. */
  recordDrill(record: DrillRecord, work: Work): Promise<void>
  /** The outcomes of this environment's drills, at most the newest 500; those of `known` ids may be left out: a record never changes. */
  drills(known?: ReadonlySet<string>): Promise<DrillList>
}

/** So many records of drills are read at most: a weekly drill of both stores fills them in five years. */
export const drillsRead = 500
