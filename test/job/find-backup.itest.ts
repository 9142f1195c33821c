import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { test } from "node:test"
import type { DrillRecord } from "../../src/core/drill-record.ts"
import { failure, inputError } from "../../src/core/errors.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { HostError } from "../../src/host/host.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { bringLocal, findBackup } from "../../src/job/stores.ts"
import type { Tools } from "../../src/job/tools.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "../storage/s3-ground.ts"
import { recordOf } from "../support/manifests.ts"
import { stackTools } from "../support/stack-tools.ts"

const [older, newer] = ["backup-20261120-030000", "backup-20261121-030000"] as const

const now = new Date("2026-11-23T00:00:00Z")

interface FindGround {
  readonly tools: Tools
  readonly warnings: string[]
  make(id: string, where: "local" | "s3", services?: readonly string[]): Promise<Manifest>
}

/** A job's tools over a real local store and a real S3 store. */
function open(s3: S3Ground): FindGround {
  const { directory, host, work } = s3
  const local = localStore({ host, directory, project: "shop", environment: "test" })
  const warnings: string[] = []
  const log = { ...silentLogger, warning: (line: string) => void warnings.push(line) }
  const tools = stackTools({ project: "shop", baseDir: directory }, { host, work, log })
  return {
    tools: { ...tools, stores: [local, s3.store], clock: { ...tools.clock, now: () => now } },
    warnings,
    make(id, where, services = ["cache"]) {
      const made = makeBackup(directory, { id, files: { [`dragonfly/cache-${id}.rdb`]: Buffer.from(id) } })
      const [first] = made.services
      assert(first)
      const manifest = { ...made, services: services.map((service) => ({ ...first, service })) }
      return putBackup({ ...s3, store: where === "s3" ? s3.store : local }, manifest)
    },
  }
}

test("latest is not known while a store that may have a newer backup cannot be listed; an id and one store are", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make } = open(s3)
  await make(older, "local")
  await make(newer, "s3")
  assert.equal((await findBackup(tools, "latest", "auto")).manifest.id, newer)
  s3.proxy.fault = () => "refuse"
  await assert.rejects(findBackup(tools, "latest", "auto"), {
    code: "latest-unknown",
    message: /s3 may have a newer backup and cannot be listed: S3 cannot be reached/,
    hint: /source: local/,
  })
  assert.equal((await findBackup(tools, older, "auto")).manifest.id, older)
  assert.equal((await findBackup(tools, "latest", "local")).manifest.id, older)
  await assert.rejects(findBackup(tools, newer, "auto"), { code: "s3-unreachable" })
})

test("a manifest that cannot be read is told when it may be newer than the latest", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make, warnings } = open(s3)
  await make(newer, "local")
  await s3.plant(`${older}.json`, "{")
  await findBackup(tools, "latest", "auto")
  assert.deepEqual(warnings, [])
  const cut = "backup-20261122-030000"
  writeFileSync(`${s3.directory}/metadata/${cut}.json`, "{")
  assert.equal((await findBackup(tools, "latest", "auto")).manifest.id, newer)
  assert.match(
    warnings.join("\n"),
    /^local: backup-20261122-030000\.json: .* may be of a newer backup than backup-20261121/,
  )
  await assert.rejects(findBackup(tools, cut, "auto"), {
    code: "manifest-unreadable",
    message: /20261122-030000\.json/,
  })
})

test("latest holds all the services asked for, or is refused; newer backups of some are told", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make, warnings } = open(s3)
  await make(older, "local", ["cache", "db"])
  await make(newer, "local", ["db"])
  const services = ["cache", "db"]
  assert.equal((await findBackup(tools, "latest", "auto", { services })).manifest.id, older)
  assert.match(warnings.join("\n"), /newer ones hold some services only: backup-20261121-030000 \(db\)/)
  assert.equal((await findBackup(tools, "latest", "auto", { services: ["db"] })).manifest.id, newer)
  await assert.rejects(findBackup(tools, "latest", "auto", { services: ["queue"] }), { code: "no-latest" })
})

test("a backup that is dated in the future is not the latest, nor is any other: an id says which is meant", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make } = open(s3)
  const [skewed, ahead] = ["backup-20261123-000400", "backup-20991231-000000"] as const
  await make(newer, "local")
  await make(skewed, "local")
  assert.equal((await findBackup(tools, "latest", "auto")).manifest.id, skewed)
  await make(ahead, "s3")
  await assert.rejects(findBackup(tools, "latest", "auto"), {
    kind: "refused",
    code: "latest-unknown",
    message: /backup-20991231-000000 is dated in the future/,
  })
  assert.equal((await findBackup(tools, newer, "auto")).manifest.id, newer)
})

test("a backup whose last drill failed is not the latest, but for another drill of it", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make, warnings } = open(s3)
  await make(older, "s3")
  await make(newer, "s3")
  const drilled = (id: string, of: string, result: "success" | "failed") =>
    s3.store.recordDrill(
      { ...recordOf(of, id), source: "s3", result, reason: result === "failed" ? "cut" : "" },
      s3.work,
    )
  await drilled("drill-20261121-040000", newer, "failed")
  // The host is new: its own store knows of no drill.
  assert.equal((await findBackup(tools, "latest", "auto")).manifest.id, older)
  assert.match(warnings.join("\n"), /backup-20261121-030000 is newer, but its last drill failed/)
  assert.equal((await findBackup(tools, "latest", "auto", { drillFailed: true })).manifest.id, newer)
  assert.equal((await findBackup(tools, newer, "auto")).manifest.id, newer)
  await drilled("drill-20261121-050000", older, "failed")
  await assert.rejects(findBackup(tools, "latest", "auto"), { code: "no-latest", message: /every backup failed/ })
  await drilled("drill-20261121-060000", newer, "success")
  assert.equal((await findBackup(tools, "latest", "auto")).manifest.id, newer)
})

test("what a drill of one copy has disproved the other copy does not vouch for, until it came back itself; then it is first", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make, warnings } = open(s3)
  await make(older, "local")
  const inBoth = await make(newer, "s3")
  const [local] = tools.stores
  await local?.putManifest(inBoth, s3.work)
  const drilled = (id: string, source: "local" | "s3", more: Partial<DrillRecord>) =>
    local?.recordDrill({ ...recordOf(newer, id), source, ...more }, s3.work)
  await drilled("drill-20261121-040000", "local", { result: "failed", disproves: "backup", reason: "17 instead of 20" })
  assert.equal((await findBackup(tools, "latest", "auto")).manifest.id, older)
  assert.match(warnings.join("\n"), /backup-20261121-030000 is newer, but its last drill failed/)
  await drilled("drill-20261121-050000", "s3", {})
  const { manifest, stores } = await findBackup(tools, "latest", "auto")
  assert.deepEqual([manifest.id, stores.map(({ name }) => name)], [newer, ["s3", "local"]])
})

test("a copy that only lacks an input is not called broken", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make } = open(s3)
  const manifest = await make(newer, "s3")
  const fetch = async () => {
    throw inputError("backup-key", "input `backup-key` is missing, and the copy in S3 is encrypted", {
      hint: "Give it.",
    })
  }
  const stores = tools.stores.map((store) => (store.name === "s3" ? { ...store, fetch } : store))
  const found = await findBackup({ ...tools, stores }, manifest.id, "s3")
  await assert.rejects(bringLocal({ ...tools, stores }, found), { kind: "input", code: "backup-key", hint: "Give it." })
})

test("a lost host, a lost lock and a step that took too long say nothing against the copy", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make, warnings } = open(s3)
  await make(newer, "local")
  const manifest = await make(newer, "s3")
  const found = await findBackup(tools, manifest.id, "auto")
  const bring = (error: Error, only?: "local") => {
    const fetch = () => Promise.reject(error)
    const stores = found.stores.map((store) => (store.name === "local" ? { ...store, fetch } : store))
    return bringLocal(tools, { ...found, stores: stores.filter(({ name }) => !only || name === only) })
  }
  for (const error of [new HostError("lost", "lost"), failure("lease-lost", "lost"), failure("step-cut", "cut")])
    await assert.rejects(bring(error), error)
  assert.deepEqual(warnings, [])
  const timeout = failure("step-timeout", "verify was ended after 1h, its limit")
  await assert.rejects(bring(timeout, "local"), { kind: "failed", code: "step-timeout", hint: /run this again/ })
  assert.equal(await bring(timeout), "s3")
})
