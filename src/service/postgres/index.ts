import type { ServiceDriver } from "../driver.ts"
import { backupServer } from "./backup-server.ts"
import { collationAdvice } from "./collation-advice.ts"
import { cutRestores } from "./cut-restores.ts"
import { fingerprintServer } from "./fingerprint-server.ts"
import { readImage } from "./image-facts.ts"
import { probeServer } from "./probe-server.ts"
import { removeReplaced, replacedDatabases } from "./replaced-databases.ts"
import { restoreForeign } from "./restore-foreign.ts"
import { restoreFreshServer } from "./restore-fresh.ts"
import { restoreServer } from "./restore-server.ts"
import { scratchServer } from "./scratch-server.ts"
import { stopServer } from "./stop-server.ts"
import { undoRestore } from "./undo-restore.ts"
import { planUpgrade } from "./upgrade-server.ts"
import { verifyServer } from "./verify-server.ts"

export interface PostgresOptions {
  /** Milliseconds that a dump waits for a table that another session has locked; 30 000 unless told. */
  readonly lockLimit?: number
}

/** PostgreSQL 13 and later in the official image, or one that takes the same variables; servers reached by their local socket. */
export function postgresDriver({ lockLimit = 30_000 }: PostgresOptions = {}): ServiceDriver {
  return {
    kinds: ["postgres"],
    probe: probeServer,
    fingerprint: fingerprintServer,
    stop: stopServer,
    backup: (service, container, target, work) => backupServer(service, container, { target, work, lockLimit }),
    restore: (service, container, backup, work, inPlace) =>
      restoreServer(service, container, { backup, work, ...(inPlace && { inPlace }) }),
    restoreForeign: (service, container, dump, work) => restoreForeign(service, container, { ...dump, work }),
    undo: (service, container, work) => undoRestore(service, container, work),
    cutRestores,
    dataDirectory: async (service, { imageId }, definition) =>
      (await readImage(service, { ...definition, image: imageId })).directory,
    replaced: replacedDatabases,
    removeReplaced: (service, container, names, work) => removeReplaced(service, container, { names, work }),
    upgrade: planUpgrade,
    restoreFresh: (service, container, backup, work) => restoreFreshServer(service, container, { backup, work }),
    advise: collationAdvice,
    verify: verifyServer,
    scratch: scratchServer,
  }
}
