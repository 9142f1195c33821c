import type { Manifest } from "../../src/core/manifest.ts"
import { knownDrills } from "../../src/job/known-drills.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import type { S3Ground } from "../storage/s3-ground.ts"
import { stackTools } from "./stack-tools.ts"

export const ids = [18, 19, 20, 21].map((day) => `backup-202511${day}-030000`)

export interface JobGround {
  readonly tools: Tools
  readonly s3: S3Ground
  readonly warnings: string[]
  make(id: string, where: "local" | "both"): Promise<Manifest>
}

/** A job's tools over a real local store and a real S3 store, at a fixed time. */
export async function jobGround(s3: S3Ground): Promise<JobGround> {
  const { directory, host, work } = s3
  const local = localStore({ host, directory, project: "shop", environment: "test" })
  const base = stackTools({ project: "shop", baseDir: directory }, { host, work })
  const warnings: string[] = []
  const retention = { last: 0, daily: 7, weekly: 0, monthly: 0 }
  const tools: Tools = {
    ...base,
    config: {
      ...base.config,
      backup: { ...base.config.backup, retention },
      thresholds: { ...base.config.thresholds, "disk-free": 0 },
    },
    layout: { ...base.layout, backups: directory },
    stores: [local, s3.store],
    log: { ...silentLogger, warning: (line) => warnings.push(line) },
    clock: { ...base.clock, now: () => new Date("2025-11-21T04:00:00Z") },
  }
  return {
    tools,
    s3,
    warnings,
    async make(id, where) {
      const files = { [`dragonfly/cache-${id}.rdb`]: Buffer.from(`keys of ${id}`) }
      const manifest = makeBackup(directory, { id, files })
      const stored = where === "both" ? await putBackup(s3, manifest) : manifest
      await local.putManifest(stored, work)
      return stored
    },
  }
}

export const drillsOf = (tools: Tools) => knownDrills(tools, tools.stores)
