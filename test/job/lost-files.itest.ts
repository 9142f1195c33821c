import assert from "node:assert/strict"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { listBackups } from "../../src/job/list-backups.ts"
import { repairCopies } from "../../src/job/repair-copies.ts"
import { Secret } from "../../src/shell/secret.ts"
import { makeBackup } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "../storage/s3-ground.ts"
import { makeOpenpgpKeys } from "../support/openpgp-keys.ts"
import { drillsOf, ids, type JobGround, jobGround } from "../support/two-stores-ground.ts"

const [, second = "", third = "", newest = ""] = ids
const fileOf = (id: string) => `dragonfly/cache-${id}.rdb`

async function syncs({ tools }: JobGround): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await listBackups(tools)).entries.map(({ id, sync }) => [id, sync]))
}

const repaired = async ({ tools }: JobGround) => repairCopies(tools, await drillsOf(tools))

/** Both stores have all three. */
async function threeBackups(s3: S3Ground): Promise<JobGround> {
  const ground = await jobGround(s3)
  for (const id of [second, third, newest]) await ground.make(id, "both")
  return ground
}

const allInSync = { [newest]: "in-sync", [third]: "in-sync", [second]: "in-sync" }

test("files that are gone under their manifest are told by the list, and put back from the other store", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await threeBackups(s3)
  assert.deepEqual(await syncs(ground), allInSync)
  await s3.lose(fileOf(newest))
  await s3.damage(fileOf(third))
  rmSync(`${s3.directory}/${fileOf(second)}`)
  assert.deepEqual(await syncs(ground), { [newest]: "damaged", [third]: "damaged", [second]: "damaged" })
  const { problems } = await listBackups(ground.tools)
  assert.equal(problems.length, 3)
  assert.match(problems.join("\n"), new RegExp(`local: ${second}: .* is missing`))
  assert.match(problems.join("\n"), new RegExp(`s3: ${newest}: .* is missing\ns3: ${third}: .* has 9 bytes instead of`))

  assert.deepEqual(await repaired(ground), [
    { id: newest, store: "s3", failure: undefined },
    { id: third, store: "s3", failure: undefined },
    { id: second, store: "local", failure: undefined },
  ])
  assert.deepEqual(await syncs(ground), allInSync)
  assert.deepEqual((await listBackups(ground.tools, { verify: true })).problems, [])
  assert.equal(readFileSync(`${s3.directory}/${fileOf(second)}`, "utf8"), `keys of ${second}`)
  assert.equal((await s3.keys()).length, 6, "nothing of the broken copies stays")
  assert.deepEqual(await repaired(ground), [])
})

test("the copy that is poor stays as it is while the other one is not good either", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await threeBackups(s3)
  await s3.lose(fileOf(newest))
  const path = `${s3.directory}/${fileOf(newest)}`
  writeFileSync(path, readFileSync(path, "utf8").toUpperCase())
  const there = await s3.keys()
  const [report, ...more] = await repaired(ground)
  assert.match(report?.failure ?? "", /not what their manifest says/)
  assert.deepEqual([more, await s3.keys()], [[], there])
  assert.deepEqual(await syncs(ground), { ...allInSync, [newest]: "damaged" })
})

test("of two backups that only share their name neither is put in the other's place", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const ground = await threeBackups(s3)
  rmSync(`${s3.directory}/metadata/${third}.json`)
  const other = makeBackup(s3.directory, { id: third, files: { [fileOf(third)]: Buffer.from("other keys") } })
  await ground.tools.stores[0]?.putManifest(other, s3.work)
  await s3.lose(fileOf(third))
  const there = await s3.keys()
  assert.deepEqual([await repaired(ground), await s3.keys()], [[], there])
  assert.deepEqual(await syncs(ground), { ...allInSync, [third]: "differs" })
})

test("a store that fails in the middle of it has the copy again by the next run", async () => {
  await using s3 = await s3Ground({ transfer: "host", patience: { tries: 1, stall: 2 } })
  const ground = await threeBackups(s3)
  await s3.lose(fileOf(newest))
  s3.proxy.fault = (method, url) => (method === "PUT" && url.includes("partNumber=") ? 403 : "pass")
  assert.match((await repaired(ground))[0]?.failure ?? "", /answered/)
  s3.proxy.fault = () => "pass"
  assert.deepEqual(await repaired(ground), [{ id: newest, store: "s3", failure: undefined }])
  assert.deepEqual(await syncs(ground), allInSync)
})

test("where nothing is missing S3 is asked for one list of each folder, and for no object", async () => {
  await using s3 = await s3Ground({ transfer: "host" })
  const { tools } = await threeBackups(s3)
  s3.proxy.seen.length = 0
  await tools.stores[1]?.lacking((await s3.store.list()).backups.map(({ manifest }) => manifest))
  const asked = s3.proxy.seen.filter((line) => !line.includes("metadata"))
  assert.equal(asked.length, 1, asked.join("\n"))
  assert.match(asked[0] ?? "", /^GET .*list-type=2.*dragonfly/)
})

test("a lost encrypted copy is made anew; a lost file here waits for who has the private key", async () => {
  const { publicKey, privateKey } = makeOpenpgpKeys()
  const encryption = { publicKey, privateKey: new Secret("backup-key", privateKey) }
  await using s3 = await s3Ground({ transfer: "host", encryption })
  const ground = await threeBackups(s3)
  assert.deepEqual(await syncs(ground), allInSync)
  await s3.lose(fileOf(newest))
  rmSync(`${s3.directory}/${fileOf(second)}`)
  assert.deepEqual(await repaired(ground), [{ id: newest, store: "s3", failure: undefined }])
  assert.deepEqual(await syncs(ground), { ...allInSync, [second]: "damaged" })
  const [entry] = (await listBackups(ground.tools, { verify: true })).entries
  assert.deepEqual([entry?.id, entry?.copies.map(({ problems }) => problems)], [newest, [[], []]])
})
