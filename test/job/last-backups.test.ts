import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { lastBackups } from "../../src/job/last-backups.ts"
import { printManifest } from "../../src/storage/manifest-file.ts"
import { keysOf, manifestOf } from "../support/manifests.ts"
import { stackTools } from "../support/stack-tools.ts"

test("the last backup of a service is found behind any number of another environment's in the same directory", async () => {
  await using host = localHost()
  const baseDir = mkdtempSync(join(tmpdir(), "t-last-"))
  try {
    const tools = stackTools({ project: "shop", baseDir }, { host })
    const metadata = `${tools.layout.backups}/metadata`
    mkdirSync(metadata, { recursive: true })
    const file = {
      file: "dragonfly/cache.rdb",
      role: "keys",
      name: "cache.rdb",
      bytes: 1,
      sha256: "a".repeat(64),
    } as const
    const services = [keysOf("cache", [], [file])]
    const write = (id: string, environment: string) =>
      writeFileSync(`${metadata}/${id}.json`, printManifest(manifestOf(id, { environment, services })))
    const ours = "backup-20261120-030000"
    write("backup-20261119-030000", "production")
    write(ours, "production")
    for (let minute = 0; minute < 200; minute++)
      write(`backup-20261121-0${Math.floor(minute / 60)}${String(minute % 60).padStart(2, "0")}00`, "uat")
    const last = await lastBackups(tools)
    assert.equal(last("cache")?.id, ours)
    assert.equal(last("other"), undefined)
  } finally {
    rmSync(baseDir, { recursive: true })
  }
})
