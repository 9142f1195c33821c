import assert from "node:assert/strict"
import { it } from "node:test"
import type { Manifest } from "../../src/core/manifest.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { StackService } from "../../src/job/stack-services.ts"
import type { Tools } from "../../src/job/tools.ts"
import { findUpgrades } from "../../src/job/upgrade-data.ts"
import { container } from "../support/container.ts"

const gibibyte = 2 ** 30

/** An upgrade of 10 GiB of data, whose dump takes 4 GiB, on disks with this room. */
async function find(df: string): Promise<number> {
  const mount = {
    type: "bind" as const,
    source: "/data",
    volume: undefined,
    target: "/var/lib/postgresql/data",
    writable: true,
  }
  const upgrade = {
    ...{ from: "PostgreSQL 15", to: "PostgreSQL 17", advice: [] },
    ...{ directory: "/var/lib/postgresql/data", bytes: 10 * gibibyte },
  }
  const one = {
    service: { name: "db", kind: "postgres" },
    driver: { upgrade: async () => upgrade },
    container: container({ mounts: [mount] }),
  }
  const tools = {
    host: { run: async ({ text }: { text: string }) => ({ code: 0, stdout: answer(text, df) }) },
    stack: { definition: async () => ({ volumes: [] }) },
    layout: { backups: "/backups" },
    clock: { now: () => new Date() },
    log: silentLogger,
  }
  const manifest = { id: "b", services: [{ service: "db", artifacts: [{ bytes: 4 * gibibyte }] }] }
  const found = await findUpgrades(
    tools as unknown as Tools,
    [one as unknown as StackService],
    manifest as unknown as Manifest,
  )
  return found.length
}

function answer(text: string, df: string): string {
  if (text.includes("image inspect")) return `{"id":"sha256:${"1".repeat(64)}","digests":[],"tags":[]}`
  return text.includes("df ") ? df : "1767225600\n"
}

it("finds room for an upgrade, and for its dump, before anything stops", async () => {
  const disk = (size: number, free: number) => `${size * gibibyte} ${free * gibibyte}\n`
  const refused = (where: RegExp) => ({ kind: "refused", code: "disk-space", message: where })
  assert.equal(await find(disk(100, 20) + disk(100, 20)), 1)
  await assert.rejects(find(disk(100, 18) + disk(100, 18)), refused(/^\/data has 18\.0 GiB free; .* takes 14\.0 GiB/))
  await assert.rejects(find(disk(100, 14) + disk(50, 40)), refused(/^\/data has/))
  await assert.rejects(find(disk(100, 40) + disk(50, 8)), refused(/^\/backups has 8\.0 GiB free; .* takes 10\.0 GiB/))
  await assert.rejects(find(disk(100, 40)), refused(/cannot be found out/))
})
