/**
 * The records at the head of a Dragonfly (or Redis) snapshot file: magic, then `0xFA key value` until something else
 * comes. Dragonfly checks neither that a set is whole nor its bytes, so this is how completeness is known.
 */
export interface SnapshotHead {
  readonly fields: ReadonlyMap<string, string>
  /** False when the bytes given ended inside the records. */
  readonly whole: boolean
}

/** Reads a head from the first bytes of a file. Throws a RangeError when they do not begin like a snapshot. */
export function readSnapshotHead(bytes: Uint8Array): SnapshotHead {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!/^(REDIS|VALKEY)\d+/.test(text.toString("latin1", 0, 9))) throw new RangeError("not a snapshot: wrong magic")
  const fields = new Map<string, string>()
  const at: Cursor = { bytes: text, offset: 9 }
  try {
    while (peek(at) === auxiliary) {
      at.offset += 1
      const key = readString(at)
      fields.set(key, readString(at))
    }
  } catch (error) {
    if (error instanceof EndOfBytes) return { fields, whole: false }
    throw error
  }
  return { fields, whole: true }
}

/** A file of a set: its name, and the first bytes of it (the summary whole). */
export interface SnapshotPart {
  readonly file: string
  readonly head: Uint8Array
}

/**
 * What is wrong with a set of Dragonfly snapshot files, one line each; empty means complete: one summary, files 0000 to
 * shard-count - 1, each with the summary's snapshot-id and its own shard-id.
 */
export function checkSnapshotSet(parts: readonly SnapshotPart[]): readonly string[] {
  const summaries = parts.filter((part) => part.file.endsWith("-summary.dfs"))
  const [summary] = summaries
  if (summary === undefined || summaries.length > 1) return [`${summaries.length} summary files instead of one`]
  const heads = new Map<string, SnapshotHead>()
  const wrong: string[] = []
  for (const { file, head } of parts) {
    try {
      heads.set(file, readSnapshotHead(head))
    } catch (error) {
      wrong.push(`${file}: ${error instanceof Error ? error.message : error}`)
    }
  }
  const { fields, whole } = heads.get(summary.file) ?? { fields: new Map<string, string>(), whole: true }
  const id = fields.get("snapshot-id")
  const count = Number(fields.get("shard-count"))
  if (!whole) wrong.push(`${summary.file}: cut off`)
  if (id === undefined) wrong.push(`${summary.file}: no snapshot-id`)
  if (!Number.isInteger(count) || count < 1) return [...wrong, `${summary.file}: no shard-count`]
  return [...wrong, ...checkShards(summary.file.replace(/-summary\.dfs$/, ""), { parts, heads, count, id })]
}

interface Shards {
  readonly parts: readonly SnapshotPart[]
  readonly heads: ReadonlyMap<string, SnapshotHead>
  readonly count: number
  readonly id: string | undefined
}

function checkShards(base: string, { parts, heads, count, id }: Shards): readonly string[] {
  const expected = Array.from({ length: count }, (_, shard) => `${base}-${String(shard).padStart(4, "0")}.dfs`)
  const known = new Set([...expected, `${base}-summary.dfs`])
  const surplus = parts.filter(({ file }) => !known.has(file)).map(({ file }) => `${file}: not of this set`)
  const wrong = expected.flatMap((file, shard) => {
    if (!parts.some((part) => part.file === file)) return [`${file}: missing`]
    const fields = heads.get(file)?.fields
    if (fields === undefined) return []
    if (fields.get("snapshot-id") !== id) return [`${file}: of another snapshot`]
    return fields.get("shard-id") === String(shard)
      ? []
      : [`${file}: holds shard ${fields.get("shard-id") ?? "(none)"}`]
  })
  return [...surplus, ...wrong]
}

const auxiliary = 0xfa

interface Cursor {
  readonly bytes: Buffer
  offset: number
}

class EndOfBytes extends Error {}

function peek({ bytes, offset }: Cursor): number {
  const byte = bytes[offset]
  if (byte === undefined) throw new EndOfBytes()
  return byte
}

function take(at: Cursor, length: number): Buffer {
  if (at.offset + length > at.bytes.length) throw new EndOfBytes()
  at.offset += length
  return at.bytes.subarray(at.offset - length, at.offset)
}

/** RDB's length encoding; `special` marks the encodings of an integer or of compressed text. */
export function readLength(at: Cursor): { readonly value: number; readonly special: boolean } {
  const first = take(at, 1).readUInt8()
  switch (first >> 6) {
    case 0:
      return { value: first & 63, special: false }
    case 1:
      return { value: ((first & 63) << 8) | take(at, 1).readUInt8(), special: false }
    case 2:
      if (first === 0x80) return { value: take(at, 4).readUInt32BE(), special: false }
      if (first === 0x81) return { value: Number(take(at, 8).readBigUInt64BE()), special: false }
      throw new RangeError(`unknown length encoding 0x${first.toString(16)}`)
    default:
      return { value: first & 63, special: true }
  }
}

function readString(at: Cursor): string {
  const { value, special } = readLength(at)
  if (!special) return take(at, value).toString("utf8")
  if (value === 3) {
    const compressed = readLength(at).value
    readLength(at)
    take(at, compressed)
    return ""
  }
  const width = [1, 2, 4][value]
  if (width === undefined) throw new RangeError(`unknown string encoding ${value}`)
  return String(take(at, width).readIntLE(0, width))
}
