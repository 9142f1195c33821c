import { createHash } from "node:crypto"
import type { RedisGround } from "./redis-ground.ts"

/** Every type in every encoding, odd names and values, several databases; `redis.call` fills them in the server itself. */
const fill = `
local function all(first, last, step) for n = first, last do step(n) end end
local bytes = {} all(0, 255, function(n) bytes[#bytes + 1] = string.char(n) end) bytes = table.concat(bytes)
redis.call('SELECT', 0)
redis.call('SET', bytes, bytes) redis.call('SET', '', 'empty name') redis.call('SET', 'empty value', '')
redis.call('SET', 'two\\nlines \\r\\n "quoted"', 'ü \\226\\130\\172') redis.call('SET', 'int', '9223372036854775807')
redis.call('SET', 'embstr', 'short') redis.call('SET', 'raw', string.rep('x', 1000))
redis.call('SET', 'compressible', string.rep('a', 8000000))
redis.call('SETBIT', 'bits', 100000, 1) redis.call('PFADD', 'hll', 'a', 'b', 'c') all(1, 5000, function(n) redis.call('PFADD', 'hll dense', n) end)
redis.call('GEOADD', 'geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')
redis.call('RPUSH', 'list small', 'a', '', bytes) all(1, 3000, function(n) redis.call('RPUSH', 'list large', 'element ' .. n) end)
redis.call('RPUSH', 'list big element', string.rep('y', 100000))
redis.call('SADD', 'set ints', 1, 2, 3, -9223372036854775808) redis.call('SADD', 'set small', 'a', 'b') all(1, 2000, function(n) redis.call('SADD', 'set large', 'm' .. n) end)
redis.call('ZADD', 'zset small', '-inf', 'low', 0.1, 'tenth', 'inf', 'high') all(1, 2000, function(n) redis.call('ZADD', 'zset large', n / 3, 'm' .. n) end)
redis.call('HSET', 'hash small', 'f', 'v', '', 'empty field', bytes, bytes) all(1, 2000, function(n) redis.call('HSET', 'hash large', 'f' .. n, n) end)
all(1, 300, function(n) redis.call('XADD', 'stream', n .. '-1', 'n', n, 'same', 'field') end) redis.call('XDEL', 'stream', '7-1')
redis.call('XGROUP', 'CREATE', 'stream', 'g1', 0) redis.call('XGROUP', 'CREATE', 'stream', 'g2', '$') redis.call('XGROUP', 'CREATECONSUMER', 'stream', 'g1', 'idle')
redis.call('XREADGROUP', 'GROUP', 'g1', 'c1', 'COUNT', 20, 'STREAMS', 'stream', '>') redis.call('XREADGROUP', 'GROUP', 'g1', 'c2', 'COUNT', 5, 'STREAMS', 'stream', '>')
redis.call('XACK', 'stream', 'g1', '1-1', '3-1')
redis.call('XADD', 'stream empty', '1-1', 'a', 'b') redis.call('XDEL', 'stream empty', '1-1')
all(1, 500, function(n) redis.call('SET', 'lasting' .. n, n, 'PXAT', 4102444800000 + n) end)
redis.call('HSET', 'hash lasting', 'f', 'v') redis.call('PEXPIREAT', 'hash lasting', 4102444800999)
for _, db in ipairs({1, 9, 15}) do redis.call('SELECT', db) all(1, 10 * db, function(n) redis.call('SET', 'key' .. n, 'db' .. db) end) end
return 'filled'
`

const library = `#!lua name=conformance
redis.register_function('answer', function() return 42 end)`

export const databases = [0, 1, 9, 15] as const

/** Fills an empty server; it needs `--enable-debug-command local` for `fingerprint`. */
export async function fillAll(ground: RedisGround): Promise<void> {
  const said = await ground.cli("EVAL", fill, "0")
  if (said !== "filled") throw new Error(said)
  await ground.cli("FUNCTION", "LOAD", library)
  await ground.pipe(Buffer.alloc(20_000_000, 7), "-x", "SET", "big")
}

/**
 * All that a server holds: its own digest over every key and value, and what that leaves out: streams' groups, consumers
 * and pending entries, moments of expiry, functions.
 */
export async function contentOf(ground: RedisGround): Promise<Readonly<Record<string, string>>> {
  const times =
    "local t = {} for _, k in ipairs(redis.call('KEYS', '*')) do t[#t + 1] = k .. '=' .. redis.call('PEXPIRETIME', k) end table.sort(t) return redis.sha1hex(table.concat(t, ','))"
  // What comes back from append-only files holds keys that have run out until the server gets to them, and so does the
  // digest; one that a scan passes goes at once.
  for (const database of databases) await ground.cli("-n", String(database), "SCAN", "0", "COUNT", "1000000")
  const content: Record<string, string> = { digest: await ground.cli("DEBUG", "DIGEST") }
  for (const database of databases) {
    content[`expiry of db${database}`] = await ground.cli("-n", String(database), "EVAL", times, "0")
    content[`size of db${database}`] = await ground.cli("-n", String(database), "DBSIZE")
  }
  for (const stream of ["stream", "stream empty"])
    content[stream] = hash(steady(await ground.cli("XINFO", "STREAM", stream, "FULL", "COUNT", "0")))
  content.functions = hash(await ground.cli("FUNCTION", "LIST", "WITHCODE"))
  return content
}

/** How the entries lie in memory is no content. */
function steady(text: string): string {
  return text.replace(/(radix-tree-(?:keys|nodes))\n\d+/g, "$1")
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}
