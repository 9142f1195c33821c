import type { ServiceConfig, ServiceKind } from "../core/config.ts"
import type { Fingerprint } from "../core/fingerprint.ts"
import type { Check, Health } from "../core/health.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import type { Container, ServiceDefinition, Stack } from "../docker/stack.ts"
import type { Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"

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
}

export interface RestoreReport {
  readonly tables: number
  readonly rows: number
  readonly keys: number
  /** How the replaced data can be found again, one sentence. */
  readonly kept: string
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
  /** Deep check of a container that exists. */
  probe(service: Service, container: Container): Promise<Health>
  /** Facts about the data of a running server, to be compared with those that `stop` gave. */
  fingerprint?(service: Service, container: Container): Promise<Fingerprint>
  /** Flushes and stops so that the data directory is clean, and gives the fingerprint of what lies there; the container stays. */
  stop?(service: Service, container: Container, work: Work): Promise<Fingerprint>
  /** Dumps, counts and proves; the files lie in the backup directory with mode 600, none of them half written under its final name. */
  backup?(service: Service, container: Container, target: BackupTarget, work: Work): Promise<ServiceBackup>
  /** Brings `backup` back from files already verified, checks it exactly, swaps it in, keeps what it replaces. */
  restore?(service: Service, container: Container, backup: ServiceBackup, work: Work): Promise<RestoreReport>
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
  verify?(service: Service, container: Container, backup: ServiceBackup | undefined): Promise<readonly Check[]>
}
