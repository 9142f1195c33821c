import type { PostgresFormat, ServiceConfig, ServiceKind } from "../core/config.ts"
import type { Fingerprint } from "../core/fingerprint.ts"
import type { GrowingFile } from "../core/growing-file.ts"
import type { Check, Health } from "../core/health.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import type { Container, ServiceDefinition, Stack } from "../docker/stack.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import type { CutRestore, CutUndo, LeftOfRestore } from "./cut-work.ts"

/** A service of the stack, with all that a driver may touch. */
export interface Service {
  readonly name: string
  readonly kind: ServiceKind
  readonly config: ServiceConfig
  readonly host: Host
  readonly stack: Stack
  /** The directory of backups on the host. */
  readonly backups: string
}

/** Where a driver puts what it backs up. */
export interface BackupTarget {
  readonly id: string
  /** `YYYY-MM-DD-HHMMSS`, part of the file names. */
  readonly stamp: string
  /** Record a checksum of the content as well, where the driver can; counts alone unless told. */
  readonly checksums?: boolean
  /** How a Postgres backup is stored; `custom` unless told. */
  readonly format?: PostgresFormat
  /** What earlier backups hold, newest first, from which is told how much is left to do. */
  readonly earlier?: readonly ServiceBackup[]
  /** Runs `dump`, which writes this file, and may carry it elsewhere meanwhile; gives and throws what `dump` does. */
  readonly whileWriting?: <T>(file: GrowingFile, dump: () => Promise<T>) => Promise<T>
  /** Told, a sentence each, what a person should know of what the backup holds or leaves out. */
  readonly warn?: (sentence: string) => void
}

export interface VerifyOptions {
  /**
   * The server was empty, and holds what just came from the backup: only what contradicts the backup is `failed`. What
   * today's configuration expects and the backup never held, and what ails the server, is a `warning`. No unless told.
   */
  readonly restored?: boolean
}

export interface RestoreReport {
  readonly tables: number
  readonly rows: number
  readonly keys: number
  /** How the replaced data can be found again, one sentence. */
  readonly kept: string
  /** What could not be compared exactly with the backup, or made as it was from what it holds; absent when everything was. */
  readonly caveat?: string
  /** What is not in the place where it lay, one phrase; absent when everything is. */
  readonly displaced?: string
}

/** A dump that somebody else made. */
export interface ForeignRestore {
  /** Absolute path on the host. */
  readonly file: string
  /** The database that it replaces, or makes. */
  readonly database: string
  /** Run it as the superuser, whatever speaks against it. */
  readonly force: boolean
  /** Called once the file is read and nothing speaks against it, before anything changes. */
  begins(): Promise<void>
}

/** Allows a restore to drop the live data before it brings the backup's, where the disk has no room for both. */
export interface InPlace {
  /**
   * Gives a proven backup that holds the live data, made now unless `holds`, which compares every row, is true for one that
   * there is; undefined when whoever allowed it also said that none is needed. Called when all else was checked.
   */
  hold(holds: (backup: ServiceBackup) => Promise<boolean>): Promise<ServiceBackup | undefined>
  /** Writes down, durably, that from here on the live data is dropped: who is cut off leaves the rest to the next run. */
  noWayBack(): Promise<void>
}

/** What the newest proven backup holds of a service. */
export interface LastBackup {
  /** The whole backup's. */
  readonly id: string
  readonly backup: ServiceBackup
}

/** Whether people would be cut off by a stop. `unknown`: a server that serves does not tell. */
export interface Occupancy {
  readonly state: "free" | "occupied" | "unknown"
  /** One phrase. */
  readonly detail: string
}

/** What can be told and done about a restore that was cut off, by the names that it left. */
export interface CutRestores {
  /** Whether its data was swapped in, which was compared before that. Absent where only a server that loads it can tell. */
  isIn?(service: Service, container: Container, cut: CutRestore): Promise<boolean>
  /** What its data holds again once it is undone, as it was noted when that was moved aside; undefined where it was not. */
  held?(service: Service, container: Container, cut: CutRestore): Promise<Fingerprint | undefined>
  /** What lies beside the live data. Absent where that is told by `replaced`, whole. */
  left?(service: Service, container: Container, cut: CutRestore): Promise<readonly LeftOfRestore[]>
  /** Takes away what it brought, and puts back what it replaced, or drops it where it had begun to; what it had swapped in is kept aside. The container may be left stopped. */
  undo(service: Service, container: Container, cut: CutRestore, work: Work): Promise<void>
}

/** What can be told and done about an undo that was cut off. */
export interface CutUndos {
  /** How far it came: `taken` when all that was replaced is back and proven, `half` when some of it was moved. */
  look(service: Service, container: Container, cut: CutUndo): Promise<"untouched" | "half" | "taken">
  /** Makes a half one untouched. The container may be left stopped. Absent where there is no half. */
  back?(service: Service, container: Container, cut: CutUndo, work: Work): Promise<void>
}

/** Data that a restore replaced and kept. */
export interface ReplacedData {
  /** The name it has now. */
  readonly name: string
  /** The name it had. */
  readonly was: string
  /** When it was replaced, ISO 8601; undefined when it does not say. */
  readonly at: string | undefined
  /** The id of the work that replaced it: what one restore replaced in several services belongs together. */
  readonly run: string | undefined
  readonly bytes: number
  /** A restore that failed had brought it, so that there is nothing to take back. */
  readonly failed?: boolean
}

/** What a new image asks of data that an older one made. */
export interface Upgrade {
  /** `PostgreSQL 15`. */
  readonly from: string
  readonly to: string
  /** Where the server keeps its data, in the container that runs now. */
  readonly directory: string
  /** Bytes that the data takes now. */
  readonly bytes: number
  /** What does not come along and a person has to see to. */
  readonly advice: readonly string[]
}

/**
 * What a kind of service can do. What it cannot do is absent. Methods that change something do it only through `work`
 * and throw when the result is not proven; methods that look throw only when the host itself fails: a service that
 * does not answer is an answer.
 */
export interface ServiceDriver {
  readonly kinds: readonly ServiceKind[]
  /** Deep check of a container that exists; also whether it still has what `last` holds, where that is cheap to tell. */
  probe(service: Service, container: Container, last?: LastBackup): Promise<Health>
  /** Who would be cut off if this container stopped now; a server that does not answer has nobody. */
  occupancy?(service: Service, container: Container): Promise<Occupancy>
  /** Facts about the data of a running server, to be compared with those that `stop` gave. */
  fingerprint?(service: Service, container: Container): Promise<Fingerprint>
  /** Flushes and stops so that the data directory is clean, and gives the fingerprint of what lies there; the container stays. */
  stop?(service: Service, container: Container, work: Work): Promise<Fingerprint>
  /** Dumps, counts and proves; the files lie in the backup directory with mode 600, none of them half written under its final name. */
  backup?(service: Service, container: Container, target: BackupTarget, work: Work): Promise<ServiceBackup>
  /** Refuses what speaks against restoring `backup` into this running server, before anything stops; changes nothing. */
  assertRestorable?(
    service: Service,
    container: Container,
    backup: ServiceBackup,
    how: { readonly work: Work; readonly inPlace: boolean },
  ): Promise<void>
  /** Brings `backup` back from files already verified, checks it exactly, swaps it in, keeps what it replaces unless `inPlace` allows otherwise. */
  restore?(
    service: Service,
    container: Container,
    backup: ServiceBackup,
    work: Work,
    inPlace?: InPlace,
  ): Promise<RestoreReport>
  /** Restores a dump that was not made by `backup`, after reading it, without rights over the server unless forced. */
  restoreForeign?(service: Service, container: Container, dump: ForeignRestore, work: Work): Promise<RestoreReport>
  /**
   * Where this container, running or not, keeps its data, in it; without one a container of the definition, undefined when
   * its image is not on the host. Only of servers that are restored while they serve.
   */
  dataDirectory?(
    service: Service,
    container: Container | undefined,
    definition: ServiceDefinition,
  ): Promise<string | undefined>
  /**
   * Takes the last restore back, or that of the work `run`: what it replaced serves again, what it brought is kept aside.
   * One sentence about it.
   */
  undo?(service: Service, container: Container, work: Work, run?: string): Promise<string>
  /** What is left of an undo that was cut off. */
  readonly cutUndos?: CutUndos
  /** What is left of a restore that was cut off. */
  readonly cutRestores?: CutRestores
  /** What restores replaced and kept, oldest first. */
  replaced?(service: Service, container: Container): Promise<readonly ReplacedData[]>
  /** Removes replaced data for good. The caller has proven a later backup. */
  removeReplaced?(service: Service, container: Container, names: readonly string[], work: Work): Promise<void>
  /**
   * What has to be done before containers of the definition's image, which is on the host, can serve the data of this
   * running one; undefined when they just start on it. Looks only; refuses what cannot be done.
   */
  upgrade?(service: Service, container: Container, definition: ServiceDefinition): Promise<Upgrade | undefined>
  /** As `restore`, into a server whose data directory was just made for it: what a restore leaves as it is comes back, too. */
  restoreFresh?(service: Service, container: Container, backup: ServiceBackup, work: Work): Promise<RestoreReport>
  /** What a person should see to when another image runs on the same data; empty as a rule. */
  advise?(service: Service, container: Container): Promise<readonly string[]>
  /** Data integrity, against the given backup's counts when there is one. */
  verify?(
    service: Service,
    container: Container,
    backup: ServiceBackup | undefined,
    options?: VerifyOptions,
  ): Promise<readonly Check[]>
  /** How a throw-away server is started that a backup can be restored into. */
  readonly scratch?: ScratchServer
}

/** What an empty server of a kind needs in a container of its own, without network, that no client but us reaches. */
export interface ScratchRecipe {
  /** Holds no secret of the real server. */
  readonly environment: Readonly<Record<string, string>>
  /** Arguments after the image. */
  readonly command: readonly string[]
  /** Paths in the container that need a volume, which goes with it. */
  readonly volumes: readonly string[]
}

export interface ScratchNeeds {
  /** Bytes of disk for the restored data beside the backup's own files. */
  readonly disk: number
  /** Bytes of memory with which the data can be served. */
  readonly memory: number
}

export interface ScratchServer {
  needs(backup: ServiceBackup): ScratchNeeds
  /** `live` is the container of the real service, of which only settings are asked; `memory` is the limit in bytes. */
  recipe(
    service: Service,
    live: Container | undefined,
    options: { readonly backup: ServiceBackup; readonly memory: number },
  ): Promise<ScratchRecipe>
  /** Whether the server has ended its first start and takes clients. */
  ready(service: Service, container: Container): Promise<boolean>
}
