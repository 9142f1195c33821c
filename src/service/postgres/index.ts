import type { ServiceDriver } from "../driver.ts"
import { backupServer } from "./backup-server.ts"
import { collationAdvice } from "./collation-advice.ts"
import { cutRestores, cutUndos } from "./cut-restores.ts"
import { fingerprintServer } from "./fingerprint-server.ts"
import { dataDirectory } from "./image-facts.ts"
import { placeOf } from "./place.ts"
import { probeServer } from "./probe-server.ts"
import { removeReplaced, replacedDatabases } from "./replaced-databases.ts"
import { restoreForeign } from "./restore-foreign.ts"
import { restoreFreshServer } from "./restore-fresh.ts"
import { assertRestorable, restoreServer } from "./restore-server.ts"
import { scratchServer } from "./scratch-server.ts"
import { stopServer } from "./stop-server.ts"
import { undoRestore } from "./undo-restore.ts"
import { planUpgrade } from "./upgrade-server.ts"
import { verifyServer } from "./verify-server.ts"

export interface PostgresOptions {
  /** Milliseconds that a dump waits for a table that another session has locked; 30 000 unless told. */
  readonly lockLimit?: number
  /** Bytes of a database from which its dump and restore run in a container of their own; 64 MiB unless told. */
  readonly besideFrom?: number
}

/** PostgreSQL 13 and later in the official image, or one that takes the same variables; servers reached by their local socket. */
export function postgresDriver({ lockLimit = 30_000, besideFrom }: PostgresOptions = {}): ServiceDriver {
  return {
    kinds: ["postgres"],
    probe: probeServer,
    fingerprint: fingerprintServer,
    stop: stopServer,
    assertRestorable: (service, container, backup, how) => assertRestorable(service, container, { backup, ...how }),
    backup: (service, container, target, work) =>
      backupServer(service, container, { target, work, lockLimit, place: placeOf(container, besideFrom) }),
    restore: (service, container, backup, work, inPlace) =>
      restoreServer(service, container, {
        ...{ backup, work, place: placeOf(container, besideFrom) },
        ...(inPlace && { inPlace }),
      }),
    restoreForeign: (service, container, dump, work) => restoreForeign(service, container, { ...dump, work }),
    undo: (service, container, work, run) =>
      undoRestore(service, container, work, run === undefined ? {} : { only: [run] }),
    cutRestores,
    cutUndos,
    dataDirectory,
    replaced: replacedDatabases,
    removeReplaced: (service, container, names, work) => removeReplaced(service, container, { names, work }),
    upgrade: planUpgrade,
    restoreFresh: (service, container, backup, work) => restoreFreshServer(service, container, { backup, work }),
    advise: collationAdvice,
    verify: verifyServer,
    scratch: scratchServer,
  }
}
