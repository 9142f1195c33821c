import assert from "node:assert/strict"
import { existsSync, readdirSync, rmSync } from "node:fs"
import { test } from "node:test"
import { cleanLeftovers, noteBegun, noteComing } from "../../src/job/clean-leftovers.ts"
import { freeId } from "../../src/job/free-id.ts"
import { forgetStoppedApp, noteStoppedApp } from "../../src/job/stopped-app-note.ts"
import { localStore } from "../../src/storage/local-store.ts"
import { s3Ground } from "../storage/s3-ground.ts"
import { ids, jobGround } from "../support/two-stores-ground.ts"

const [id = "", other = ""] = ids
const file = `dragonfly/cache-${id}.rdb`

test("what a restore fetched stays while it is under way; then it is a backup here, where it is whole, and else goes", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools, make } = await jobGround(s3)
  const { directory, work } = s3
  const manifest = await make(id, "both")
  // Retention took it away here, and a restore has fetched it since.
  rmSync(`${directory}/metadata/${id}.json`)
  const removal = { id, stamp: "2025-11-18-030000", services: ["cache"], at: manifest.created, from: "local" as const }
  await work.step("note-removal", noteBegun(tools.layout, removal))
  await noteComing(tools, manifest)
  const note = noteStoppedApp(tools.layout, { awaits: "restore", backup: id, fingerprints: [] })
  await work.step("note-restore", note)
  await cleanLeftovers(tools)
  assert.deepEqual(readdirSync(`${directory}/dragonfly`), [`cache-${id}.rdb`])
  assert.equal(readdirSync(`${directory}/state/production/begun`).length, 2)

  await work.step("forget", forgetStoppedApp(tools.layout))
  // Without S3 nobody can tell that it is a backup.
  await cleanLeftovers({ ...tools, stores: tools.stores.filter(({ name }) => name === "local") })
  assert.deepEqual(readdirSync(`${directory}/dragonfly`), [`cache-${id}.rdb`])
  await cleanLeftovers(tools)
  assert.ok(existsSync(`${directory}/${file}`))
  assert.deepEqual(await tools.stores[0]?.verify(manifest), [])
  assert.equal((await tools.stores[0]?.list())?.backups[0]?.manifest.id, id)
  assert.deepEqual(readdirSync(`${directory}/state/production/begun`), [])

  const cut = await make(other, "both")
  rmSync(`${directory}/metadata/${other}.json`)
  rmSync(`${directory}/dragonfly/cache-${other}.rdb`)
  await noteComing(tools, cut)
  await cleanLeftovers(tools)
  assert.deepEqual(readdirSync(`${directory}/dragonfly`), [`cache-${id}.rdb`])
  assert.deepEqual(readdirSync(`${directory}/metadata`), [`${id}.json`])
})

test("two environments with one directory never get the same id, and one that is given up leaves nothing", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools } = await jobGround(s3)
  const { directory, host, work } = s3
  await tools.stores[0]?.prepare(work)
  const theirs = { ...tools, stores: [localStore({ host, directory, project: "shop", environment: "other" })] }
  const taken = await Promise.all([tools, theirs, tools, theirs].map((one) => freeId(one, undefined, ["cache"])))
  assert.equal(new Set(taken.map((one) => one.id)).size, 4, taken.map((one) => one.id).join())
  for (const one of taken) await tools.stores[0]?.discard({ id: one.id, services: [] }, work)
  assert.deepEqual(readdirSync(`${directory}/metadata`), [])
})

test("an id whose run was killed right after it had claimed it leaves nothing behind for the next one", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools } = await jobGround(s3)
  await tools.stores[0]?.prepare(s3.work)
  const { id } = await freeId(tools, undefined, ["cache"])
  assert.deepEqual(readdirSync(`${s3.directory}/metadata`), [`${id}.json.partial`])
  await cleanLeftovers(tools)
  assert.deepEqual(readdirSync(`${s3.directory}/metadata`), [])
})
