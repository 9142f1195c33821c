import assert from "node:assert/strict"
import { test } from "node:test"
import { compareLoaded } from "../../../src/service/redis/compare-loaded.ts"
import { judgeSettings, restoredNames } from "../../../src/service/redis/data-settings.ts"
import { parseCheck, parseDumpReport } from "../../../src/service/redis/dump-report.ts"
import { judge } from "../../../src/service/redis/probe-server.ts"
import { replicationChecks } from "../../../src/service/redis/replication.ts"
import { compareVersions, parseVersion } from "../../../src/service/redis/restore-checks.ts"
import { parseAnswer, productOf } from "../../../src/service/redis/server-answer.ts"
import { compareKeys } from "../../../src/service/redis/verify-server.ts"

const redis = { kind: "redis", product: "redis", version: "7" } as const
const serving = "PONG\r\nloading:0\r\nused_memory:100\r\nmaxmemory:0\r\nrdb_last_bgsave_status:ok\r\n"

test("an answer is read as the server gave it", () => {
  const answer = parseAnswer(`${serving}db0:keys=3,expires=1,avg_ttl=0\r\ndb10:keys=2,expires=0,avg_ttl=0\r\n`)
  assert.equal(answer.ping, "PONG")
  assert.deepEqual(answer.keyspace, [
    { database: 0, keys: 3, expires: 1 },
    { database: 10, keys: 2, expires: 0 },
  ])
  assert.equal(judge(answer).state, "healthy")
})

test("the product is the one that answers, not the one it imitates", () => {
  const of = (text: string) => productOf(parseAnswer(`PONG\n${text}`))
  assert.deepEqual(of("redis_version:7.4.0\ndragonfly_version:df-v1.40.1"), { product: "dragonfly", version: "1.40.1" })
  assert.deepEqual(of("redis_version:7.2.4\nvalkey_version:8.1.1"), { product: "valkey", version: "8.1.1" })
  assert.deepEqual(of("redis_version:7.0.15"), { product: "redis", version: "7.0.15" })
})

test("only a server that serves is healthy", () => {
  const state = (text: string) => judge(parseAnswer(text)).state
  assert.equal(state(""), "unhealthy")
  assert.equal(state("LOADING Redis is loading the dataset in memory\nloading:1"), "degraded")
  assert.equal(state(serving.replace("loading:0", "loading:1")), "degraded")
  assert.equal(state("NOAUTH Authentication required."), "unknown")
  assert.equal(state(serving.replace("PONG", "MISCONF Redis is configured to save")), "unhealthy")
  assert.equal(state(serving.replace("status:ok", "status:err")), "degraded")
  assert.equal(state(serving.replace("maxmemory:0", "maxmemory:105\nmaxmemory_policy:noeviction")), "degraded")
  assert.equal(state(serving.replace("maxmemory:0", "maxmemory:105\nmaxmemory_policy:allkeys-lru")), "healthy")
  // Dragonfly's status of the last save stays ok after a failure.
  const dragonfly = `${serving}dragonfly_version:df-v1.40.1\nlast_success_save:5\nlast_failed_save:9\nlast_error:No space\n`
  assert.match(
    judge(parseAnswer(dragonfly))
      .checks.map((one) => one.detail)
      .join(),
    /No space/,
  )
})

test("what a replica says of its link is read as each product says it", () => {
  const told = (role: string, more: string) => {
    const answer = parseAnswer(`${serving}role:${role}\nmaster_host:db.example\nmaster_port:6379\n${more}`)
    return replicationChecks(answer).map(({ state, detail }) => [
      state,
      detail.replace(/^the link to its master db.example:6379 is /, ""),
    ])
  }
  const down = "master_link_status:down\nmaster_last_io_seconds_ago"
  assert.deepEqual(told("master", ""), [])
  assert.deepEqual(told("slave", "master_link_status:up\nmaster_last_io_seconds_ago:3"), [
    ["ok", "up, last heard of 3 s ago"],
  ])
  assert.deepEqual(told("slave", `${down}:-1\nmaster_link_down_since_seconds:70`), [["failed", "down since 70 s"]])
  // Dragonfly has one number for both, and may call the role otherwise.
  assert.deepEqual(told("replica", `${down}:70`), [["failed", "down since 70 s"]])
  assert.deepEqual(told("slave", `${down}:-1\nmaster_link_down_since_seconds:-1\nmaster_sync_in_progress:1`), [
    ["failed", "down, and was not up since the server started, a full copy is on its way"],
  ])
  assert.deepEqual(told("slave", ""), [["failed", "down, and was not up since the server started"]])
})

test("a snapshot's own counts are read from its bytes and must be those that the checker read", () => {
  const check = "magic REDIS0010\nselect 0 fb0401000261\nselect 3 fb414503ff\nkeys 329\nexpires 4\n"
  assert.deepEqual(parseCheck(check).keyspace, [
    { database: 0, keys: 4, expires: 1 },
    { database: 3, keys: 325, expires: 3 },
  ])
  assert.throws(() => parseCheck(check.replace("keys 329", "keys 328")), /328/)
  assert.throws(() => parseCheck(check.replace("keys 329\n", "")), /none/)
  assert.throws(() => parseCheck(check.replace("fb04", "fc04")), /does not say how many keys/)
})

test("a report with a part missing is no report", () => {
  const report = `before db0:keys=1,expires=0\nafter \nfile 12 ${"a".repeat(64)} cache.rdb\n`
  assert.equal(parseDumpReport(report).files[0]?.bytes, 12)
  assert.throws(() => parseDumpReport(report.replace(/file.*\n/, "")), /not whole/)
  assert.throws(() => parseDumpReport(report.replace(/before.*\n/, "")), /not whole/)
  assert.throws(() => parseDumpReport(report.replace("file 12", "file x")), /cannot be read/)
})

test("what Dragonfly says around its save is believed only where it is whole", () => {
  const told = (counters: string, wrote: string) => {
    const file = `file 12 ${"a".repeat(64)} cache-0000.dfs`
    const { quiet, written } = parseDumpReport(
      `before ${counters} \nafter keyspace_mutations:7 expired_keys:1 evicted_keys:0 \n${wrote}${file}\n`,
    )
    return { quiet, written }
  }
  const counters = "keyspace_mutations:7 expired_keys:1 evicted_keys:0"
  assert.deepEqual(told(counters, "wrote rdb_string:3 rdb_hash:10 rdb_other:1 \n"), { quiet: true, written: 14 })
  assert.deepEqual(told(counters, "wrote \n"), { quiet: true, written: 0 }, "an empty server")
  assert.equal(told(counters, "").written, undefined, "another save has ended since")
  assert.equal(told(counters, "wrote rdb_string:3 rdb_usec:1234\n").written, undefined)
  for (const name of ["keyspace_mutations:7", "expired_keys:1", "evicted_keys:0"]) {
    assert.equal(told(counters.replace(name, ""), "").quiet, false)
    assert.equal(told(counters.replace(name, `${name}9`), "").quiet, false)
  }
})

const mount = { type: "volume", source: "/v/_data", volume: "v", target: "/data", writable: true } as const

test("where the data lies follows the server's settings, and what cannot be restored into is refused", () => {
  const read = (text: string, product: "redis" | "dragonfly" = "redis", mounts: readonly (typeof mount)[] = [mount]) =>
    judgeSettings(text, { product, container: { mounts }, service: "cache" })
  assert.deepEqual(read("dir /data\ndbfilename x.rdb\nappendonly no\n"), {
    directory: "/data",
    file: "x.rdb",
    mount,
    append: undefined,
  })
  assert.deepEqual(read("dir /data/sub/\nappendonly no\nappendonly yes\nappenddirname a\n").append, {
    directory: "a",
    file: "appendonly.aof",
  })
  assert.equal(read("dir /data", "dragonfly").file, "dump-{timestamp}")
  assert.equal(read("workdir /data\ndir ./\n").directory, "/data")
  assert.equal(read("workdir /data\ndir /elsewhere\ndir sub/\n").directory, "/data/sub")
  assert.throws(() => read("dir s3://bucket/a", "dragonfly"), /s3:\/\/bucket\/a of cache is not on a volume/)
  assert.throws(() => read("dir /database"), /not on a volume/)
  assert.throws(() => read("dir /data", "redis", []), /not on a volume/)
  assert.throws(() => read("dir /data/summary", "dragonfly"), /summary/)
})

test("restored files get the names that the server will load", () => {
  const settings = { directory: "/data", file: "dump-{timestamp}", mount, append: undefined }
  const files = ["dragonfly/c-2026-11-21-030000-0000.dfs", "dragonfly/c-2026-11-21-030000-summary.dfs"]
  const names = restoredNames(files, { product: "dragonfly", settings, id: "r1" })
  assert.deepEqual([...names.values()], ["dump-restore-r1-0000.dfs", "dump-restore-r1-summary.dfs"])
  const rdb = { ...settings, file: "dump.rdb" }
  assert.deepEqual([...restoredNames(["a.rdb"], { product: "redis", settings: rdb, id: "r1" }).values()], ["dump.rdb"])
  assert.throws(() => restoredNames(files, { product: "dragonfly", settings: rdb, id: "r1" }), /loads only dump\.rdb/)
})

test("what was loaded must be what was saved, less what ran out", () => {
  const saved = { ...redis, keyspace: [{ database: 0, keys: 10, expires: 4 }] }
  const loaded = (text: string, read?: number) => compareLoaded(saved, parseAnswer(`PONG\n${text}`), read).different
  assert.deepEqual(loaded("db0:keys=10,expires=4"), [])
  assert.deepEqual(loaded("db0:keys=7,expires=1", 10), [])
  assert.deepEqual(loaded("db0:keys=12,expires=4", 10), [], "two keys were written since")
  assert.equal(loaded("db0:keys=9,expires=4", 10).length, 1)
  assert.deepEqual(loaded("db0:keys=9,expires=4"), ["db0 has 5 keys without expiry instead of 6"])
  assert.deepEqual(loaded("db0:keys=10,expires=4\ndb1:keys=1,expires=0"), [
    "db1 has 1 keys without expiry instead of 0",
  ])
  assert.deepEqual(loaded("db0:keys=7,expires=1", 9), ["it read 9 keys, the snapshot holds 10"])
  assert.deepEqual(loaded("db0:keys=7,expires=1", 11), ["it read 11 keys, the snapshot holds 10"], "of another file")
})

test("fewer keys than in the backup is a warning, none at all a failure", () => {
  const states = (keys: number) =>
    compareKeys({ ...redis, keyspace: [{ database: 0, keys: 5, expires: 2 }] }, [
      { database: 0, keys, expires: 0 },
    ]).map((one) => one.state)
  assert.deepEqual([states(3), states(4), states(2), states(0)], [["ok"], ["ok"], ["warning"], ["failed"]])
})

test("versions are compared as numbers", () => {
  assert.deepEqual(parseVersion("Redis server v=7.0.15 sha=0:0"), { product: "redis", version: "7.0.15" })
  assert.deepEqual(parseVersion("Valkey server v=8.1.1 sha=0"), { product: "valkey", version: "8.1.1" })
  assert.deepEqual(parseVersion("dragonfly v1.40.1-abc\nbuild"), { product: "dragonfly", version: "1.40.1" })
  assert.equal(parseVersion("sh: not found"), undefined)
  assert(compareVersions("7.0.9", "7.0.15") < 0 && compareVersions("8", "7.9.9") > 0)
  assert.equal(compareVersions("7.0", "7.0.0"), 0)
})
