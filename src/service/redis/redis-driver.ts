import type { ServiceDriver } from "../driver.ts"
import { askServer } from "./ask-server.ts"
import { backupServer } from "./backup-server.ts"
import { cutUndos } from "./cut-undos.ts"
import { fingerprintServer } from "./fingerprint-server.ts"
import { removeKept, replacedKeys } from "./kept-data.ts"
import { probeServer } from "./probe-server.ts"
import { assertMaster } from "./replication.ts"
import { restoreServer } from "./restore-server.ts"
import { scratchServer } from "./scratch-server.ts"
import { stopServer } from "./stop-server.ts"
import { cutRestores } from "./undo-cut-restore.ts"
import { undoRestore } from "./undo-restore.ts"
import { verifyServer } from "./verify-server.ts"

/** Redis, Valkey and Dragonfly: one protocol, two ways of saving. Which product answers is asked, not configured. */
export function redisDriver(): ServiceDriver {
  return {
    kinds: ["dragonfly", "redis", "valkey"],
    probe: probeServer,
    fingerprint: fingerprintServer,
    stop: stopServer,
    assertRestorable: async (service, container) => assertMaster(service, await askServer(service, container)),
    backup: (service, container, target, work) => backupServer(service, container, { target, work }),
    restore: (service, container, backup, work) => restoreServer(service, container, { backup, work }),
    undo: undoRestore,
    cutUndos,
    replaced: replacedKeys,
    removeReplaced: (service, container, names, work) => removeKept(service, container, { names, work }),
    cutRestores,
    verify: verifyServer,
    scratch: scratchServer,
  }
}
