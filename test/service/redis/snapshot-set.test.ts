import assert from "node:assert/strict"
import { test } from "node:test"
import { checkSnapshotSet, readSnapshotHead, type SnapshotPart } from "../../../src/service/redis/snapshot-set.ts"

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const head = bytes.length < 64 ? [bytes.length] : [0x40 | (bytes.length >> 8), bytes.length & 255]
  return Buffer.concat([Buffer.from(head), bytes])
}

function head(fields: readonly (readonly [string, string | Buffer])[]): Buffer {
  const records = fields.flatMap(([key, value]) => [
    Buffer.from([0xfa]),
    text(key),
    typeof value === "string" ? text(value) : value,
  ])
  return Buffer.concat([Buffer.from("REDIS0009"), ...records, Buffer.from([0xfe, 0])])
}

const id = "0123456789abcdef0123456789abcdef"

function set(shards: number, base = "cache-1"): SnapshotPart[] {
  const all = Array.from({ length: shards }, (_, shard) => ({
    file: `${base}-${String(shard).padStart(4, "0")}.dfs`,
    head: head([
      ["snapshot-id", id],
      ["ctime", "1"],
      ["shard-id", Buffer.from([0xc0, shard])],
    ]),
  }))
  const lua = text(`return ${"x".repeat(200)}`)
  // A number of shards in each integer encoding that a writer may take, a script and a compressed text before it.
  const count = Buffer.from([0xc1, shards & 255, shards >> 8])
  const compressed = Buffer.from([0xc3, 3, 40, 1, 2, 3])
  const fields = [
    ["snapshot-id", id],
    ["lua", lua],
    ["lua", compressed],
    ["shard-count", count],
  ] as const
  return [...all, { file: `${base}-summary.dfs`, head: head(fields) }]
}

test("a whole set has nothing wrong with it", () => {
  assert.deepEqual(checkSnapshotSet(set(1)), [])
  assert.deepEqual(checkSnapshotSet(set(12)), [])
})

test("what Dragonfly loads without a word is found", () => {
  const whole = set(3)
  const without = (word: string) => whole.filter((part) => !part.file.includes(word))
  assert.deepEqual(checkSnapshotSet(without("-0001")), ["cache-1-0001.dfs: missing"])
  assert.deepEqual(checkSnapshotSet(without("summary")), ["0 summary files instead of one"])
  const foreign = whole.map((part) =>
    part.file.includes("-0002")
      ? {
          ...part,
          head: head([
            ["snapshot-id", id.replace("0", "f")],
            ["shard-id", "2"],
          ]),
        }
      : part,
  )
  assert.deepEqual(checkSnapshotSet(foreign), ["cache-1-0002.dfs: of another snapshot"])
  const swapped = whole.map((part) =>
    part.file.includes("-0000") ? { ...part, head: whole[1]?.head ?? part.head } : part,
  )
  assert.deepEqual(checkSnapshotSet(swapped), ["cache-1-0000.dfs: holds shard 1"])
  const surplus = [...whole, { file: "cache-1-0003.dfs", head: whole[0]?.head ?? Buffer.alloc(0) }]
  assert.deepEqual(checkSnapshotSet(surplus), ["cache-1-0003.dfs: not of this set"])
})

test("cut and empty files are found", () => {
  const cut = set(2).map((part) =>
    part.file.includes("summary") ? { ...part, head: part.head.subarray(0, 120) } : part,
  )
  assert.match(checkSnapshotSet(cut).join(), /summary\.dfs: cut off/)
  const empty = set(2).map((part) => (part.file.includes("-0000") ? { ...part, head: Buffer.alloc(0) } : part))
  assert.match(checkSnapshotSet(empty).join(), /-0000\.dfs: not a snapshot/)
})

test("the head of a Redis file reads the same way", () => {
  const bytes = Buffer.from("REDIS0010\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0\x40\xfe\x00", "latin1")
  const { fields, whole } = readSnapshotHead(bytes)
  assert(whole)
  assert.deepEqual(
    [...fields],
    [
      ["redis-ver", "7.0.15"],
      ["redis-bits", "64"],
    ],
  )
})
