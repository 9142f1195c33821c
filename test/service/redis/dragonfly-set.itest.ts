import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { test } from "node:test"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import { shells, shellWork } from "../../support/shell-work.ts"
import { dragonflyGround, type Said, whole } from "./dragonfly-ground.ts"

const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }
const driver = redisDriver()
type Ground = Awaited<ReturnType<typeof dragonflyGround>>

async function backup(place: Ground, work = directWork(place.host)) {
  const made = await driver.backup?.(place.service, await place.container(), target, work)
  assert(made?.contents.kind === "dragonfly")
  return { ...made, contents: made.contents }
}

for (const shell of shells) {
  test(`a whole set is copied and the data directory left as it was, under ${shell.join(" ")}`, async () => {
    await using place = await dragonflyGround(whole)
    const made = await driver.backup?.(place.service, await place.container(), target, shellWork(shell))
    assert.deepEqual(made?.contents, {
      kind: "dragonfly",
      product: "dragonfly",
      version: "1.40.1",
      keyspace: [{ database: 0, keys: 5, expires: 1 }],
      written: 5,
    })
    const names = ["0000", "0001", "summary"].map((one) => `cache-2026-11-21-030000-${one}.dfs`)
    assert.deepEqual(
      made.artifacts.map((one) => one.name),
      names,
    )
    assert.deepEqual(readdirSync(`${place.backups}/dragonfly`), names)
    assert.equal((await place.left()).trim(), "")
  })
}

test("a set with a file missing is no backup and leaves nothing", async () => {
  await using place = await dragonflyGround({ "0000": whole["0000"], summary: whole.summary })
  await assert.rejects(backup(place), /not complete: cache-2026-11-21-030000-0001\.dfs: missing/)
  assert.deepEqual(readdirSync(`${place.backups}/dragonfly`), [])
  assert.equal((await place.left()).trim(), "")
})

test("a set into which nothing was written, of a server that held keys all the time, is no backup", async () => {
  await using place = await dragonflyGround(whole, { wrote: "" })
  await assert.rejects(backup(place), /the server holds keys, the snapshot none/)
})

const busy: Said = { "keyspace-after": "db0:keys=9,expires=2,avg_ttl=0\n", "stats-after": "keyspace_mutations:12\n" }

test("while writers run, the restore is held to what was written and read, and keys that ran out are no alarm", async () => {
  await using place = await dragonflyGround(whole, { ...busy, wrote: "rdb_string:7\n" })
  const made = await backup(place)
  assert.deepEqual(made.contents.keyspace, [{ database: 0, keys: 9, expires: 2 }])
  assert.deepEqual([made.contents.written, made.contents.earlier], [7, [{ database: 0, keys: 5, expires: 1 }]])
  const restore = async () => driver.restore?.(place.service, await place.container(), made, directWork(place.host))
  place.say({ read: "7", loaded: "db0:keys=6,expires=0\n" })
  assert.equal((await restore())?.keys, 7)
  place.say({ "log-file": "" })
  assert.equal((await restore())?.caveat, undefined, "its log may lie in a file")
  place.say({ read: "6", loaded: "db0:keys=7,expires=1\n" })
  await assert.rejects(restore(), /it read 6 keys, the snapshot holds 7/)
  // A log that says nothing: the range is all there is, and that is told.
  place.say({ read: "?", loaded: "db0:keys=5,expires=0\n" })
  assert.match((await restore())?.caveat ?? "", /does not tell how many keys it read/)
  place.say({ loaded: "db0:keys=1,expires=0\n" })
  await assert.rejects(restore(), /db0 has 1 keys without expiry instead of 2 to 9/)
})
